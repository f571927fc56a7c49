import { basename, resolve } from 'node:path'
import type { DownloadProgress, HubActivity, PreparedMerge } from '@mk/merge'
import { describeActivity } from '../print/describe-activity.ts'
import type { Phase } from '../print/progress.ts'
import type { Interruption } from './interruption.ts'
import { loadMethods } from './load-methods.ts'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import type { Printer } from './printer.ts'
import type { Recipe } from './recipe.ts'

interface Preparation {
  readonly recipe: Recipe
  readonly flags: MergeFlags
  readonly ownCode: OwnCode
  readonly print: Printer
  readonly interruption: Interruption
}

/**
 * Reads the recipe, opens its models and plans the merge, showing what takes time. Signals are the system's until something is downloaded or
 * all is planned: a handler would not be called while the process waits for a folder of a server that doesn't answer.
 */
export async function prepareRecipe({
  recipe,
  flags,
  ownCode,
  print,
  interruption,
}: Preparation): Promise<PreparedMerge> {
  const { loadMethodModule, prepareMerge } = await import('./merging.ts')
  const { progress } = print
  // The modules of the user's run when they are loaded.
  const methods = await interruption.leaveWhile(() => loadMethods(flags.methodModule, ownCode))
  const whole = showWholeFiles(print)
  progress.activity('opening the models')
  try {
    const prepared = await (recipe.prepare ?? prepareMerge)({
      text: recipe.text,
      file: recipe.file,
      methods,
      loadMethod: (module, folder) =>
        interruption.leaveWhile(() => ownCode.load(module, () => loadMethodModule(module, folder))),
      allowCode: allowedCode(recipe, flags),
      seed: flags.randomSeed,
      shardBytes: flags.outShardSize,
      ...(flags.outFormat !== undefined && { outFormat: flags.outFormat }),
      ...(flags.rank !== undefined && { rank: flags.rank }),
      ...(flags.outDtype !== undefined && { outDtype: flags.outDtype }),
      copyTokenizer: flags.copyTokenizer,
      writeModelCard: flags.writeModelCard,
      ...(flags.ggufPre !== undefined && { preTokenizer: flags.ggufPre }),
      ...(flags.ggufLike !== undefined && { ggufLike: flags.ggufLike }),
      ...(recipe.out !== undefined && { name: basename(resolve(recipe.out)) }),
      ...(recipe.modelName !== undefined && { name: recipe.modelName }),
      roundIntermediates: flags.roundIntermediates ?? false,
      withUnused: flags.keepIntermediates !== undefined,
      allNamed: recipe.allNamed ?? false,
      lenient: flags.lenient ?? false,
      allowMixedArchitectures: flags.allowCrimes ?? false,
      hub: {
        signal: interruption.signal,
        refresh: flags.refresh ?? false,
        onActivity: showActivity(print, interruption),
        // What is streamed needs no room for all of it.
        ...(flags.streamInputs === true && { freeBytes: async () => Infinity }),
        ...(flags.transformersCache !== undefined && { transformersCache: flags.transformersCache }),
      },
      onDownload: whole.update,
      onPlan() {
        progress.activity('planning the merge')
        return interruption.leaveUntilTurn()
      },
    })
    interruption.listen()
    return prepared
  } finally {
    whole.end()
    progress.activity(undefined)
  }
}

/** Shows what the client of the hub does; what a log should keep is said once. */
function showActivity({ progress, note }: Printer, interruption: Interruption): (activity: HubActivity) => void {
  const said = new Set<string>()
  return (activity) => {
    // From here on there may be locks and parts of files to take away.
    interruption.listen()
    const { text, stays } = describeActivity(activity)
    progress.activity(text)
    if (!stays || said.has(text)) return
    said.add(text)
    note(text)
  }
}

/** One bar for the files of all models that come before anything can be planned. */
function showWholeFiles({ progress }: Printer) {
  const states = new Map<string, DownloadProgress>()
  let phase: Phase | undefined
  const sum = (of: (state: DownloadProgress) => number) => [...states.values()].reduce((all, each) => all + of(each), 0)
  return {
    update(state: DownloadProgress): void {
      states.set(state.id, state)
      phase ??= progress.phase('downloading')
      const earlier = sum(({ earlierBytes }) => earlierBytes)
      phase.update({
        doneBytes: earlier + sum(({ doneBytes }) => doneBytes),
        totalBytes: earlier + sum(({ totalBytes }) => totalBytes),
        names: `${state.id} ${state.file}`,
      })
    },
    end: () => phase?.end(),
  }
}

/** What the command line names may run; what only the recipe names, with --allow-code, and never where a plan is all that is asked for. */
function allowedCode({ modules = [] }: Recipe, flags: MergeFlags): true | readonly string[] {
  if (flags.allowCode && !isPlanOnly(flags)) return true
  return [...modules, ...(flags.methodModule ?? [])].map((module) => resolve(module))
}
