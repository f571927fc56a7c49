import type { Checkpoint, DownloadProgress } from '@mk/checkpoint'
import { checkOutputPlace } from '../output/check-output.ts'
import { checkSpace, spaceForOutput } from '../output/check-space.ts'
import type { MergePlan } from '../plan/merge-plan.ts'

/**
 * Brings the weights that are not here yet, if the disks have room for all of them and for the output.
 * @param options.out where the output is to be; undefined leaves it out of account
 * @throws CheckpointError; MergeError 'disk-space', 'output-is-input'
 */
export async function downloadWeights(
  checkpoints: readonly Checkpoint[],
  plan: MergePlan,
  {
    out,
    onProgress,
  }: { readonly out: string | undefined; readonly onProgress: ((progress: DownloadProgress) => void) | undefined },
): Promise<void> {
  const awaited = checkpoints.filter(({ downloadBytes = 0 }) => downloadBytes > 0)
  if (awaited.length === 0) return
  if (out !== undefined) checkOutputPlace(plan, out)
  await checkSpace([
    ...awaited.map(({ folder, downloadBytes }) => ({ folder: folder!, bytes: downloadBytes! })),
    ...(out === undefined ? [] : [spaceForOutput(plan, out)]),
  ])
  for (const checkpoint of awaited) await checkpoint.download!(onProgress)
}
