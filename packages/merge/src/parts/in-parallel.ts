/** Of calls that mostly wait for a disk or a server. */
const atOnce = 16

/** Maps a list, several of it at a time; the order stays. @throws the first error of any */
export async function inParallel<T, R>(values: readonly T[], map: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const work = async () => {
    while (next < values.length) {
      const index = next++
      results[index] = await map(values[index]!).catch((error: unknown) => {
        next = values.length
        throw error
      })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, values.length) }, work))
  return results
}
