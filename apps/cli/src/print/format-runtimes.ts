import type { RuntimeStatus } from '../runtimes/find-runtime.ts'

/** Formats what `--runtimes` prints. */
export const formatRuntimes = (statuses: readonly RuntimeStatus[]): string =>
  statuses
    .map(
      ({ name, summary, problem }) =>
        `${name}\n  ${summary}\n  ${problem === undefined ? 'available' : `not available: ${problem}`}\n`,
    )
    .join('\n')
