/** Runs `work` on all items, at most `width` at a time; the first failure stops the others and is thrown when they have ended. */
export async function forEachParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal])
  const queue = items.values()
  let failure: { readonly error: unknown } | undefined
  async function take(): Promise<void> {
    for (const item of queue) {
      if (failure !== undefined) return
      try {
        either.throwIfAborted()
        await work(item, either)
      } catch (error) {
        failure ??= { error }
        stop.abort()
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, take))
  if (failure !== undefined) throw failure.error
}
