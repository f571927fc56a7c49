import type { InspectionProgress } from '@mk/inspect'
import { counted } from '@mk/errors'
import type { MergePlan, PreparedMerge, PrepareOptions } from '@mk/merge'
import { downloadModels } from '../commands/download-models.ts'
import { type Running, runInterruptible } from '../commands/run-interruptible.ts'
import type { MergeFlags } from '../commands/merge-flags.ts'
import { createOwnCode } from '../commands/own-code.ts'
import { prepareRecipe } from '../commands/prepare-recipe.ts'
import type { Printer } from '../commands/printer.ts'
import type { Recipe } from '../commands/recipe.ts'
import { findRuntime } from '../runtimes/find-runtime.ts'
import type { InspectionFlags } from './inspection-options.ts'

/** A command while it reads models. */
export interface Inspection {
  readonly print: Printer
  readonly signal: AbortSignal
  /** Opens the models that a recipe names, or those that are opened in its place, and brings what is still at the hub. */
  open<T extends PreparedMerge>(
    recipe: Pick<Recipe, 'text' | 'file' | 'isGenerated'>,
    prepare?: (options: PrepareOptions) => Promise<T>,
  ): Promise<{ readonly prepared: T; readonly plan: MergePlan }>
  /** Shows how far it is, until the work is done. */
  during<T>(what: string, work: (onProgress: (progress: InspectionProgress) => void) => Promise<T>): Promise<T>
}

/** Does what a command does, tells of errors and signals. @returns the exit status */
export function runInspection(
  flags: InspectionFlags,
  work: (inspection: Inspection) => Promise<number>,
  recipe?: Recipe,
): Promise<number> {
  return runInterruptible({ flags, recipe }, ({ print, interruption }) => {
    interruption.listen()
    return work({
      print,
      signal: interruption.signal,
      open: (source, prepare) => open(source, prepare, { flags, print, interruption }),
      async during(what, inspect) {
        const phase = print.progress.phase(what)
        try {
          return await inspect(({ doneBytes, totalBytes, doneTensors, tensorCount }) =>
            phase.update({ doneBytes, totalBytes, count: `${doneTensors} of ${counted(tensorCount, 'tensor')}` }),
          )
        } finally {
          phase.end()
        }
      },
    })
  })
}

interface Call extends Running {
  readonly flags: InspectionFlags
}

async function open<T extends PreparedMerge>(
  source: Pick<Recipe, 'text' | 'file' | 'isGenerated'>,
  prepare: ((options: PrepareOptions) => Promise<T>) | undefined,
  { flags, print, interruption }: Call,
): Promise<{ readonly prepared: T; readonly plan: MergePlan }> {
  const ownCode = createOwnCode()
  try {
    let opened: T | undefined
    const recipe: Recipe = {
      ...source,
      out: undefined,
      ...(prepare && { prepare: async (options) => (opened = await prepare(options)) }),
    }
    const prepared = await prepareRecipe({ recipe, flags: asMergeFlags(flags), ownCode, print, interruption })
    interruption.signal.throwIfAborted()
    if (prepared.awaited.length > 0) interruption.enter('downloading')
    const plan = await downloadModels(
      prepared,
      { out: undefined, runtime: findRuntime('wasm', { verbose: false }), threads: flags.threads },
      print,
    )
    interruption.enter('preparing')
    return { prepared: opened ?? (prepared as T), plan }
  } finally {
    ownCode.release()
  }
}

/** Of what is written nothing is. */
const asMergeFlags = (flags: InspectionFlags): MergeFlags => ({
  ...flags,
  outShardSize: 5e9,
  randomSeed: 0,
  copyTokenizer: false,
  writeModelCard: false,
  // What a merge would refuse can be looked at.
  allowCrimes: true,
})
