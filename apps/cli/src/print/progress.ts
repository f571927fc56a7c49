import { formatBytes, formatSeconds } from './sizes.ts'

export interface Progress {
  update(doneBytes: number, totalBytes: number, what: string): void
  /** Removes what is left of a bar. */
  end(): void
}

/** The stream that progress goes to; a terminal gets a bar, anything else a line now and then. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const barIntervalMs = 100
const lineIntervalMs = 5000

/** Shows nothing. */
export const silentProgress: Progress = { update() {}, end() {} }

/** Creates a bar or lines about work that is counted in bytes. @param now milliseconds of a clock that never goes back */
export function createProgress(
  stream: ProgressStream,
  label: string,
  now: () => number = () => performance.now(),
): Progress {
  const startedAt = now()
  const interval = stream.isTTY ? barIntervalMs : lineIntervalMs
  let shownAt = startedAt
  let firstBytes: number | undefined
  let isShown = false
  return {
    update(doneBytes, totalBytes, what) {
      firstBytes ??= doneBytes
      if (now() - shownAt < interval) return
      shownAt = now()
      const seconds = (now() - startedAt) / 1000
      const rate = (doneBytes - firstBytes) / seconds
      const left = rate > 0 ? `, ${formatSeconds((totalBytes - doneBytes) / rate)} left` : ''
      const numbers = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}, ${formatBytes(rate)}/s${left}`
      const share = totalBytes > 0 ? doneBytes / totalBytes : 0
      if (!stream.isTTY) {
        stream.write(`${label} ${Math.floor(share * 100)} % ${numbers} (${what})\n`)
        return
      }
      isShown = true
      const width = 24
      const bar = '█'.repeat(Math.round(share * width)).padEnd(width, '░')
      stream.write(`\r\u001b[K${`${label} ${bar} ${numbers}`.slice(0, (stream.columns ?? 80) - 1)}`)
    },
    end() {
      if (isShown) stream.write('\r\u001b[K')
    },
  }
}
