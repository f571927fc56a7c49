import type { Checkpoint, DownloadProgress } from '@mk/checkpoint'
import { formatModelReference } from '@mk/config'
import { checkOutputPlace } from '../output/check-output.ts'
import { checkSpace, spaceForOutput } from '../output/check-space.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { RuntimeSpecifier } from '../run/task.ts'

/** Weights of one model that are still at the hub. */
export interface AwaitedModel {
  /** Its hub id; the reference as the config writes it where only an adapter comes from the hub. */
  readonly id: string
  readonly byteCount: number
}

/** How far the downloads of a merge are, which go side by side. */
export interface WeightsProgress {
  /** What this run has brought of all models, and what it is to bring. */
  readonly doneBytes: number
  readonly totalBytes: number
  /** What earlier runs had brought of the same files; counted in neither of the others. */
  readonly earlierBytes: number
  readonly models: readonly (AwaitedModel & { readonly doneBytes: number })[]
}

export interface DownloadOptions {
  /** Where the output is to be; absent: its room is left out of account. */
  readonly out?: string | undefined
  readonly onProgress?: ((progress: WeightsProgress) => void) | undefined
  /** What computes that; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier | undefined
  /** Of what has to be computed before tensors are read, once the weights are here. */
  readonly onCompute?: ((done: number, total: number) => void) | undefined
}

/** So many models come at a time, each several files. */
const parallelModels = 4

/** Lists the models whose weights are still at the hub. */
export const listAwaited = (checkpoints: readonly Checkpoint[]): AwaitedModel[] =>
  awaitedOf(checkpoints).map(({ hub, reference, downloadBytes = 0 }) => ({
    id: hub?.id ?? formatModelReference(reference),
    byteCount: downloadBytes,
  }))

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

const awaitedOf = (checkpoints: readonly Checkpoint[]) =>
  checkpoints.filter(({ downloadBytes = 0 }) => downloadBytes > 0)
