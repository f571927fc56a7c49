import type { InspectionProgress } from '@mk/inspect'
import { counted } from '@mk/errors'
import type { MergePlan, PoolSettings, PreparedMerge, PrepareOptions } from '@mk/merge'
import { startThreadAhead, type ThreadAhead } from '@mk/merge/ahead'
import { downloadModels } from '../commands/download-models.ts'
import { type Running, runInterruptible } from '../commands/run-interruptible.ts'
import type { MergeFlags } from '../commands/merge-flags.ts'
import { createOwnCode } from '../commands/own-code.ts'
import { prepareRecipe } from '../commands/prepare-recipe.ts'
import type { Printer } from '../commands/printer.ts'
import type { Recipe } from '../commands/recipe.ts'
import { findRuntime } from '../runtimes/find-runtime.ts'
import type { InspectionFlags } from './inspection-options.ts'

/** Models that can be read. */
interface Opened<T extends PreparedMerge> {
  readonly prepared: T
  readonly plan: MergePlan
  /** Starts the threads that read them, of which one was started while they were being opened. */
  readonly threads: Pick<PoolSettings, 'threads' | 'createWorker'>
}

/** A command while it reads models. */
export interface Inspection {
  readonly print: Printer
  readonly signal: AbortSignal
  /** Opens the models that a recipe names, or those that are opened in its place, and brings what is still at the hub. */
  open<T extends PreparedMerge>(
    recipe: Pick<Recipe, 'text' | 'file' | 'isGenerated'>,
    prepare?: (options: PrepareOptions) => Promise<T>,
  ): Promise<Opened<T>>
  /** Shows how far it is, until the work is done. */
  during<T>(what: string, work: (onProgress: (progress: InspectionProgress) => void) => Promise<T>): Promise<T>
}

/** Does what a command does, tells of errors and signals. @returns the exit status */
export function runInspection(
  flags: InspectionFlags,
  work: (inspection: Inspection) => Promise<number>,
  recipe?: Recipe,
): Promise<number> {
  return runInterruptible({ flags, recipe }, async ({ print, interruption }) => {
    let ahead: ThreadAhead | undefined
    const working = work({
      print,
      signal: interruption.signal,
      async open(source, prepare) {
        const thread = flags.threads > 0 ? (ahead ??= startThreadAhead()) : undefined
        const opened = await open(source, prepare, { flags, print, interruption })
        const threads = { threads: flags.threads, ...(thread && { createWorker: thread.createWorker }) }
        return { ...opened, threads }
      },
      async during(what, inspect) {
        interruption.listen()
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
    return working.finally(() => ahead?.close())
  })
}

interface Call extends Running {
  readonly flags: InspectionFlags
}

async function open<T extends PreparedMerge>(
  source: Pick<Recipe, 'text' | 'file' | 'isGenerated'>,
  prepare: ((options: PrepareOptions) => Promise<T>) | undefined,
  { flags, print, interruption }: Call,
): Promise<Omit<Opened<T>, 'threads'>> {
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
  randomSeed: 0,
  copyTokenizer: false,
  writeModelCard: false,
  // What a merge would refuse can be looked at.
  allowCrimes: true,
})
