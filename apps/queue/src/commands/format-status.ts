import { formatBytes, formatTable } from '@mk/cli'
import { counted } from '@mk/errors'
import type { MergeStatus, PartStatus, QueueStatus } from '../jobs/read-status.ts'

/** Formats how a queue is: its merges, and what each worker does. */
export function formatQueue({ queue, merges, workers }: QueueStatus, width: number | undefined): string {
  if (merges.length === 0) return `queue ${queue}: no merges, ${counted(workers.length, 'worker')}\n`
  return [...merges.flatMap((merge) => [...formatMerge(merge), '']), ...formatWorkers(merges, workers, width), ''].join(
    '\n',
  )
}

/** Formats one merge, and what each worker does for it. */
export function formatOne({ merges: [merge], workers }: QueueStatus, width: number | undefined): string {
  return [...formatMerge(merge!), '', ...formatWorkers([merge!], workers, width), ''].join('\n')
}

function formatMerge(merge: MergeStatus): string[] {
  const { id, state, out, parts, end, doneBytes, totalBytes, problem, warnings } = merge
  const percent = totalBytes > 0 ? Math.floor((doneBytes / totalBytes) * 100) : 0
  const inState = (wanted: PartStatus['state']) => parts.filter((part) => part.state === wanted).length
  const counts = (['done', 'running', 'retrying', 'waiting', 'failed'] as const)
    .map((each) => [each, inState(each)] as const)
    .filter(([, count]) => count > 0)
    .map(([each, count]) => `${count} ${each}`)
  const takeovers = [...parts, end].reduce((sum, part) => sum + part.takeovers, 0)
  return [
    `${id}: ${state}, ${percent} % of ${formatBytes(totalBytes)}, to ${out}`,
    `${counted(parts.length, 'part')}: ${counts.join(', ')}${takeovers > 0 ? `; ${counted(takeovers, 'takeover')}` : ''}`,
    ...(problem === undefined ? [] : [`problem: ${problem}`]),
    ...summarize(warnings.map((warning) => `warning: ${warning}`)),
    ...parts
      .filter(({ state: of, problem: reason }) => of === 'retrying' && reason !== undefined)
      .map(
        ({ part, failures, problem: reason }) =>
          `part ${part} failed ${failures === 1 ? 'once' : `${failures} times`}: ${reason}`,
      ),
  ]
}

const shownWarnings = 3

/** `--json` has all of them. */
const summarize = (lines: readonly string[]): readonly string[] =>
  lines.length <= shownWarnings
    ? lines
    : [
        ...lines.slice(0, shownWarnings),
        `and ${counted(lines.length - shownWarnings, 'warning')} more (--json has all)`,
      ]

/** A line for each worker: what it has, or that it has nothing. */
function formatWorkers(
  merges: readonly MergeStatus[],
  workers: readonly string[],
  width: number | undefined,
): string[] {
  const busy = merges.flatMap(({ id, parts, end }) =>
    [...parts, end]
      .filter(({ state, worker }) => state === 'running' && worker !== undefined)
      .map((part) => ({ id, part, worker: part.worker! })),
  )
  const idle = workers.filter((worker) => !busy.some((each) => each.worker === worker))
  if (busy.length === 0 && idle.length === 0) return ['no workers: mk-queue work starts one']
  const rows = [
    ...busy.map(({ id, part, worker }) => [
      worker,
      part.part === undefined ? 'end' : String(part.part),
      part.totalBytes > 0 ? `${Math.floor((part.doneBytes / part.totalBytes) * 100)} %` : '',
      part.totalBytes > 0 ? formatBytes(part.totalBytes) : '',
      id,
    ]),
    ...idle.map((worker) => [worker, '–', '', '', '']),
  ].toSorted(([a], [b]) => (a! < b! ? -1 : 1))
  return formatTable(
    [
      { title: 'worker' },
      { title: 'part', align: 'right' },
      { title: 'done', align: 'right' },
      { title: 'of', align: 'right' },
      { title: 'merge' },
    ],
    rows,
    width,
  )
}
