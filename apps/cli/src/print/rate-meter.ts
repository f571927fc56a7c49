/** After that many seconds a former rate counts for a third. */
const memorySeconds = 6
/** Samples that are closer are taken together: single chunks arrive in bursts. */
const leastSeconds = 0.4
/** Until then a rate says little about the time that is left. */
const settledSeconds = 1.5

/** Measures bytes per second, smoothed, from the first sample on. */
export interface RateMeter {
  /** Tells how much is done now; what was done before the first sample is no speed. */
  sample(doneBytes: number): void
  /** Bytes per second; undefined before there is one. */
  rate(): number | undefined
  /** Seconds until so many bytes are done, at this rate; undefined while nobody can tell. */
  secondsTo(bytes: number): number | undefined
}

/** @param now milliseconds of a clock that never goes back */
export function createRateMeter(now: () => number): RateMeter {
  let startedAt: number | undefined
  let sampledAt = 0
  let sampledBytes = 0
  let newestBytes = 0
  let average = 0
  let share = 0
  const rate = () => (share > 0 ? average / share : undefined)
  return {
    sample(doneBytes) {
      newestBytes = doneBytes
      if (startedAt === undefined) {
        startedAt = sampledAt = now()
        sampledBytes = doneBytes
        return
      }
      const seconds = (now() - sampledAt) / 1000
      if (seconds < leastSeconds) return
      const keep = Math.exp(-seconds / memorySeconds)
      average = average * keep + (Math.max(0, doneBytes - sampledBytes) / seconds) * (1 - keep)
      // What the average lacks since it began at nothing.
      share = share * keep + (1 - keep)
      sampledAt = now()
      sampledBytes = doneBytes
    },
    rate,
    secondsTo(bytes) {
      const current = rate()
      if (startedAt === undefined || now() - startedAt < settledSeconds * 1000 || !current) return undefined
      return Math.max(0, bytes - newestBytes) / current
    },
  }
}
