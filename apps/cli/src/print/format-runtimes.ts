import type { RuntimeStatus } from '../runtimes/find-runtime.ts'
import { type PlainScreen, plainScreen } from './style.ts'
import { wrapText } from './wrap-text.ts'

/** Formats what `--runtimes` prints. */
export const formatRuntimes = (
  statuses: readonly RuntimeStatus[],
  { width, style }: PlainScreen = plainScreen,
): string =>
  statuses
    .map(({ name, summary, problem, found }) => {
      const state =
        problem === undefined ? `available${found === undefined ? '' : `: ${found}`}` : `not available: ${problem}`
      return `${style.bold(name)}\n${[summary, state].map((line) => `${wrapText(`  ${line}`, width)}\n`).join('')}`
    })
    .join('\n')
