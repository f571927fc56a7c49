/** Does something for each of a list, so many at once; ends at the first error, or when the signal fires. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  { atOnce, signal }: { readonly atOnce: number; readonly signal?: AbortSignal | undefined },
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const take = async (): Promise<void> => {
    try {
      while (next < items.length) {
        signal?.throwIfAborted()
        await work(items[next++]!)
      }
    } catch (error) {
      next = items.length
      throw error
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, take))
}
