import type {
  ComputeProgress,
  DownloadOptions,
  MergePlan,
  PreparedMerge,
  RuntimeSpecifier,
  WeightsProgress,
} from '@mk/merge'
import type { Phase, PhaseState, Progress } from '../print/progress.ts'
import type { Printer } from './printer.ts'

interface Preparing extends Pick<DownloadOptions, 'readAtHub'> {
  readonly out: string | undefined
  readonly runtime: RuntimeSpecifier
  readonly threads: number
}

/**
 * Brings the weights that are still at the hub, with one bar for all models, and computes what has to be known before tensors are read.
 * @returns the plan to run
 */
export async function downloadModels(
  prepared: PreparedMerge,
  preparing: Preparing,
  print: Printer,
): Promise<MergePlan> {
  const computing = showComputing(print)
  let phase: Phase | undefined
  try {
    const { out, readAtHub, ...computedBy } = preparing
    const plan = await prepared.download({
      ...computedBy,
      ...(readAtHub === undefined ? { out } : { readAtHub }),
      onProgress(progress) {
        phase ??= print.progress.phase('downloading')
        phase.update(describeDownloads(progress))
      },
      onCompute: computing.update,
    })
    for (const warning of plan.warnings) if (!prepared.warnings.includes(warning)) print.warning(warning)
    for (const note of plan.notes) if (!prepared.plan.notes.includes(note)) print.note(note)
    return plan
  } finally {
    phase?.end()
    computing.end()
  }
}

/** Shows what is computed, with a bar for each thing that is counted. */
export function showComputing({ progress }: { readonly progress: Pick<Progress, 'activity' | 'phase'> }) {
  let shown: { readonly label: string; readonly phase: Phase } | undefined
  return {
    update({ label, bytes, count = '' }: ComputeProgress): void {
      if (shown?.label !== label) {
        shown?.phase.end()
        shown = undefined
        progress.activity(bytes === undefined ? label : undefined)
      }
      if (bytes === undefined) return
      shown ??= { label, phase: progress.phase(label) }
      shown.phase.update({ doneBytes: bytes.done, totalBytes: bytes.total, count })
    },
    end(): void {
      shown?.phase.end()
      progress.activity(undefined)
    },
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
