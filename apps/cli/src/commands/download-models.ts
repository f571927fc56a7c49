import type { DownloadOptions, MergePlan, PreparedMerge, RuntimeSpecifier, WeightsProgress } from '@mk/merge'
import type { PhaseState } from '../print/progress.ts'
import type { Printer } from './printer.ts'

/** Brings the weights that are still at the hub, with one bar for all models. @returns the plan to run */
export async function downloadModels(
  prepared: PreparedMerge,
  {
    out,
    runtime,
    readAtHub,
  }: { readonly out: string | undefined; readonly runtime: RuntimeSpecifier } & Pick<DownloadOptions, 'readAtHub'>,
  print: Printer,
): Promise<MergePlan> {
  const onCompute = (done: number, total: number) =>
    print.progress.activity(done < total ? `reading the prompts: layer ${done + 1} of ${total}` : undefined)
  if (readAtHub !== undefined) return prepared.download({ readAtHub, runtime, onCompute })
  if (prepared.awaited.length === 0) return prepared.download({ out, runtime, onCompute })
  const phase = print.progress.phase('downloading')
  try {
    const plan = await prepared.download({
      out,
      runtime,
      onCompute,
      onProgress: (progress) => phase.update(describeDownloads(progress)),
    })
    for (const note of plan.notes) if (!prepared.plan.notes.includes(note)) print.note(note)
    return plan
  } finally {
    phase.end()
  }
}

/** What earlier runs have brought counts as done, so that the bar begins where it ended. */
export function describeDownloads({ doneBytes, totalBytes, earlierBytes, models }: WeightsProgress): PhaseState {
  const finished = models.filter((model) => model.doneBytes >= model.byteCount)
  const coming = models.filter((model) => !finished.includes(model))
  return {
    doneBytes: earlierBytes + doneBytes,
    totalBytes: earlierBytes + totalBytes,
    count: models.length === 1 ? '' : `${finished.length} of ${models.length} models done`,
    names: (coming.length > 0 ? coming : models).map(({ id }) => id).join(', '),
  }
}
