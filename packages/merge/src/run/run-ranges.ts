import { type ElementRange, rangeElements, type RunStage, type Stage } from '@mk/tensor/runtime'
import { addCounts, type NonFiniteCounts } from './non-finite.ts'
import type { TensorPass } from './task.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Elements that one task covers: enough to make its message cheap, little enough to share out a tensor; more where much else is left. */
export const taskElements = { fewest: 2 ** 20, most: 2 ** 22, whereMuchIsLeft: 2 ** 25 }

/**
 * Elements that are worth one message where so many are left to do after them: a message costs the same whatever it is about, and no worker
 * is to wait in the end for what another one still has.
 */
export const worthOneTask = (left: number, workers: number): number =>
  Math.min(taskElements.whereMuchIsLeft, Math.max(taskElements.most, left / (4 * workers)))

/** Stands for the first element of ranges that are gathered, far from elements of tensors. */
const gatheredStart = Number.MIN_SAFE_INTEGER
/** Stands for ranges that are gathered. */
export const gatheredRange = (elementCount: number): ElementRange => ({
  start: gatheredStart,
  end: gatheredStart + elementCount,
})

/** What passes over one tensor share. */
export interface RangesRun {
  readonly pool: WorkerPool
  readonly elementCount: number
  /** Which worker has seen the range that starts at an element. */
  readonly owners: Map<number, number>
  readonly onWritten?: (elements: number) => void
  /** What a task is to cover where there are enough other tensors for all workers, so that this one need not be shared out. */
  readonly oneOfMany?: number
}

/** Hands ranges to the workers, consecutive ones together, each where its inputs are kept if they are. */
export async function runRanges(
  { pool, elementCount, owners, onWritten, oneOfMany }: RangesRun,
  { ranges, groupSize, gathered }: Pick<Stage, 'ranges' | 'groupSize' | 'gathered'>,
  pass: TensorPass,
  onResult?: Parameters<RunStage>[1],
): Promise<NonFiniteCounts | undefined> {
  if (gathered) {
    const { results, worker } = await pool.run(
      { pass, ranges, groups: ranges.map(() => 0), gathered },
      owners.get(gatheredStart),
    )
    if (pass.keep) owners.set(gatheredStart, worker)
    return void onResult?.(0, results[0]!.result)
  }
  const isOnlyPass = pass.output !== undefined && owners.size === 0
  const ownShare = Math.max(taskElements.fewest, Math.ceil(elementCount / (2 * pool.size)))
  // Totals of a group are one message, however large the task.
  const most =
    oneOfMany !== undefined && isOnlyPass ? oneOfMany : groupSize > 1 ? ownShare : Math.min(ownShare, taskElements.most)
  let found: NonFiniteCounts | undefined
  const tasks = batches(ranges, owners, most)
  const isOnly = isOnlyPass && tasks.length === 1
  await Promise.all(
    tasks.map(async ({ first, last, owner }) => {
      const part = ranges.slice(first, last)
      const groups = part.map((_, index) => Math.floor((first + index) / groupSize))
      const { results, nonFinite, worker } = await pool.run(
        { pass, ranges: part, groups, ...(isOnly && { isOnly }) },
        owner,
      )
      if (pass.keep) for (const { start } of part) owners.set(start, worker)
      for (const { range, result } of results) onResult?.(first + range, result)
      if (pass.output !== undefined) onWritten?.(rangeElements(part))
      if (nonFinite !== undefined) found = addCounts(found, nonFinite)
    }),
  )
  return found
}

/** Consecutive ranges of one owner, as [first, last) and of at most `most` elements where a single range is not longer. */
function batches(ranges: readonly ElementRange[], owners: ReadonlyMap<number, number>, most: number) {
  const result: { first: number; last: number; owner: number | undefined; elements: number }[] = []
  ranges.forEach(({ start, end }, index) => {
    const owner = owners.get(start)
    const batch = result.at(-1)
    if (batch !== undefined && batch.owner === owner && batch.elements + end - start <= most) {
      batch.last = index + 1
      batch.elements += end - start
    } else result.push({ first: index, last: index + 1, owner, elements: end - start })
  })
  return result
}
