import { formatBytes, formatSeconds } from './sizes.ts'
import { cutText, textWidth } from './wrap-text.ts'

/** What a bar tells. */
export interface ProgressState {
  readonly label: string
  readonly doneBytes: number
  readonly totalBytes: number
  /** Bytes per second; undefined before there is one. */
  readonly rate: number | undefined
  readonly secondsLeft: number | undefined
  /** How many of how many, as in '2 of 3'. */
  readonly count: string
  /** What is being worked on. */
  readonly names: string
}

const leastBar = 8
const mostBar = 60
const leastNames = 12

/** Makes the line of a bar: percent, rate and time left are always whole, the rest takes what is left of the width. */
export function formatBar(state: ProgressState, width: number): string {
  const numbers = formatNumbers(state, '  ')
  const sizes = formatSizes(state)
  const { label, count, names } = state
  const withNames = [label, count, names].filter((part) => part !== '').join(' ')
  const withCount = [label, count].filter((part) => part !== '').join(' ')
  const room = (left: string, right: string) => width - textWidth(left) - textWidth(right) - 2
  const cutNames = cutText(
    withNames,
    Math.max(textWidth(withCount) + leastNames, width - textWidth(sizes) - textWidth(numbers) - 4 - 2 * leastBar),
  )
  const choices: readonly (readonly [left: string, right: string])[] = [
    [cutNames, `${numbers}  ${sizes}`],
    [cutNames, numbers],
    [withCount, numbers],
    [label, numbers],
  ]
  for (const [left, right] of choices) {
    const free = room(left, right)
    if (free >= leastBar) return `${left} ${drawBar(state, Math.min(free, mostBar))} ${right}`
  }
  const short = formatNumbers(state, ' ')
  return [`${withCount} ${short}`, `${label} ${short}`].find((line) => textWidth(line) <= width) ?? short
}

/** Makes a line for where there is no bar. */
export function formatLine(state: ProgressState): string {
  const { label, count, names } = state
  const what = [count, names].filter((part) => part !== '').join(', ')
  const { percent, rate, left } = numbersOf(state)
  const details = [`${label} ${percent} of ${formatBytes(state.totalBytes)}`, rate, left].filter((part) => part !== '')
  return `${details.join(', ')}${what === '' ? '' : ` (${what})`}`
}

function numbersOf({ doneBytes, totalBytes, rate, secondsLeft }: ProgressState) {
  return {
    percent: `${Math.floor(shareOf({ doneBytes, totalBytes }) * 100)} %`,
    rate: rate === undefined ? '' : `${formatBytes(rate)}/s`,
    left: secondsLeft === undefined ? '' : `${formatSeconds(secondsLeft)} left`,
  }
}

function formatNumbers(state: ProgressState, space: string): string {
  const { percent, rate, left } = numbersOf(state)
  return [percent.padStart(5), rate, left].filter((part) => part !== '').join(space)
}

const formatSizes = ({ doneBytes, totalBytes }: ProgressState) =>
  `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`

const shareOf = ({ doneBytes, totalBytes }: Pick<ProgressState, 'doneBytes' | 'totalBytes'>) =>
  totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 0

function drawBar(state: ProgressState, width: number): string {
  const full = Math.round(shareOf(state) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
