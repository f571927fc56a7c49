import type { Checkpoint, DownloadProgress } from '@mk/checkpoint'
import { checkOutputPlace } from '../output/check-output.ts'
import { checkSpace, spaceForOutput } from '../output/check-space.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { type AwaitedModel, awaitedOf, type DownloadOptions, listAwaited, type WeightsProgress } from './awaited.ts'

/** So many models come at a time, each several files. */
const parallelModels = 4

/**
 * Brings the weights that are not here yet, several models at a time, if the disks have room for all of them and for the output.
 * @throws CheckpointError; MergeError 'disk-space', 'output-is-input'
 */
export async function downloadWeights(
  checkpoints: readonly Checkpoint[],
  plan: MergePlan,
  { out, onProgress }: DownloadOptions,
): Promise<void> {
  const awaited = awaitedOf(checkpoints)
  if (awaited.length === 0) return
  if (out !== undefined) checkOutputPlace(plan, out)
  await checkSpace([
    ...awaited.map(({ folder, downloadBytes }) => ({ folder: folder!, bytes: downloadBytes! })),
    ...(out === undefined ? [] : [spaceForOutput(plan, out)]),
  ])
  const models = listAwaited(checkpoints)
  const states = new Map<number, DownloadProgress>()
  const report = () => onProgress?.(summarize(models, states))
  report()
  const stop = new AbortController()
  const queue = awaited.entries()
  const takeNext = async (): Promise<void> => {
    for (const [index, checkpoint] of queue) {
      if (stop.signal.aborted) return
      await checkpoint.download!((progress) => {
        states.set(index, progress)
        report()
      }, stop.signal)
    }
  }
  const settled = await Promise.allSettled(
    Array.from({ length: Math.min(parallelModels, awaited.length) }, () =>
      takeNext().catch((error: unknown) => {
        if (stop.signal.aborted) return
        stop.abort()
        throw error
      }),
    ),
  )
  for (const one of settled) if (one.status === 'rejected') throw one.reason
}

function summarize(models: readonly AwaitedModel[], states: ReadonlyMap<number, DownloadProgress>): WeightsProgress {
  const each = models.map((model, index) => ({ ...model, doneBytes: states.get(index)?.doneBytes ?? 0 }))
  return {
    doneBytes: each.reduce((sum, { doneBytes }) => sum + doneBytes, 0),
    totalBytes: each.reduce((sum, { byteCount }) => sum + byteCount, 0),
    earlierBytes: [...states.values()].reduce((sum, { earlierBytes }) => sum + earlierBytes, 0),
    models: each,
  }
}
