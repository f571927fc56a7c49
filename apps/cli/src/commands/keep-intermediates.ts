import { counted } from '@mk/errors'
import type { KeptOutput, KeptStage, PreparedMerge, RuntimeSpecifier } from '@mk/merge'
import { formatNonFinite } from '../print/format-non-finite.ts'
import type { Phase } from '../print/progress.ts'
import type { Interruption } from './interruption.ts'
import type { MergeFlags } from './merge-flags.ts'
import type { Printer } from './printer.ts'

interface Keeping {
  readonly flags: MergeFlags
  readonly print: Printer
  readonly interruption: Interruption
  readonly onKept: (kept: KeptOutput) => void
  /** Undefined: none of the merges is the output. */
  readonly out: string | undefined
  readonly runtime: RuntimeSpecifier
}

/** Writes the named merges, where that is asked for. */
export async function keepIntermediates(
  prepared: Pick<PreparedMerge, 'stages' | 'methods'>,
  { flags, print, interruption, onKept, out, runtime }: Keeping,
): Promise<readonly KeptStage[]> {
  const { keepIntermediates: folder, lazy: reuse = true, overwrite = false, strict = false, threads } = flags
  if (folder === undefined) return []
  const { describeNonFinite, keepStages } = await import('./merging.ts')
  let phase: Phase | undefined
  try {
    const kept = await keepStages(prepared, {
      folder,
      ...(out !== undefined && { out }),
      reuse,
      runtime,
      threads,
      overwrite,
      strict,
      signal: interruption.signal,
      onKept,
      onStage(name) {
        phase?.end()
        phase = print.progress.phase(`merging ${name}`)
      },
      onProgress: ({ writtenBytes, totalBytes, finishedTensors, tensorCount }) =>
        phase?.update({
          doneBytes: writtenBytes,
          totalBytes,
          count: `${finishedTensors} of ${counted(tensorCount, 'tensor')}`,
        }),
      onWarning: (message) => print.warning(message),
    })
    const found = kept.flatMap(({ name, nonFinite }) => nonFinite.map((one) => `${name}: ${describeNonFinite(one)}`))
    if (found.length > 0) print.warning(...formatNonFinite(found, flags.verbose > 0))
    return kept
  } finally {
    phase?.end()
  }
}
