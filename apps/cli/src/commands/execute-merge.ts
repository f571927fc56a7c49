import { basename } from 'node:path'
import type { PushResult } from '@mk/checkpoint/push'
import { counted, printable } from '@mk/errors'
import type { KeptOutput, KeptStage, MergePlan, PreparedMerge, RunOptions } from '@mk/merge'
import type { ThreadAhead } from '@mk/merge/ahead'
import type { MethodDefinition } from '@mk/methods'
import { CommandError } from '../errors/command-error.ts'
import { statusOf } from '../errors/describe-error.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { reportError } from '../errors/report-error.ts'
import { formatNonFinite } from '../print/format-non-finite.ts'
import type { Phase } from '../print/progress.ts'
import { describeScreen } from '../print/style.ts'
import { checkRuntime, findRuntime } from '../runtimes/find-runtime.ts'
import { downloadModels } from './download-models.ts'
import { idleFlagNotes } from './ignored-flags.ts'
import { createInterruption, type Interruption } from './interruption.ts'
import { keepIntermediates } from './keep-intermediates.ts'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import { prepareRecipe } from './prepare-recipe.ts'
import { createPrinter, type Printer } from './printer.ts'
import { summarize } from './summarize.ts'
import type { Recipe } from './recipe.ts'
import type { MergeCall } from './run-merge-command.ts'

/** One call of a command, with a thread for it that loads meanwhile what it runs. */
interface ExecutedCall extends MergeCall {
  /** Closed in the end. */
  readonly ahead: ThreadAhead | undefined
}

/** Runs one merge for a command, or prints its plan: the result goes to stdout, all else to stderr. @returns the exit status */
export async function executeMerge(
  recipe: Recipe,
  { flags, isGiven, ownCode, ahead }: ExecutedCall,
  notes: readonly string[],
): Promise<number> {
  const interruption = createInterruption()
  const print = createPrinter({ quiet: flags.quiet ?? false, recipe })
  let kept: KeptOutput | undefined
  let release: PreparedMerge['release']
  let pushed: string | undefined
  try {
    for (const note of [...notes, ...(recipe.notes ?? [])]) print.note(note)
    await merge({
      recipe,
      flags,
      isGiven,
      ownCode,
      print,
      interruption,
      ahead,
      onPrepared: (prepared) => (release = prepared.release),
      onKept: (folder) => (kept = folder),
      onPush: (command) => (pushed = command),
    })
    // Of a plan that is carried out later, what it reads has to be there.
    if (flags.planOut === undefined) await release?.()
    return exitStatus.success
  } catch (caught) {
    // What is kept of the output goes on from what was computed for it.
    const isKept = kept !== undefined || (interruption.signal.aborted && interruption.stage === 'merging')
    if (!isKept) await release?.()
    const error = asInterruption(caught, interruption, flags.push)
    const status = interruption.status ?? statusOf(error)
    const remains =
      kept === undefined
        ? pushed && `The merge is done and kept: ${pushed} uploads it.`
        : `${kept.tensorCount} finished ${kept.tensorCount === 1 ? 'tensor is' : 'tensors are'} kept in ${kept.folder}: the same command goes on from there, deleting that folder starts over.`
    reportError(error, { print, flags, recipe, status, remains })
    return status
  } finally {
    await ahead?.close()
    print.progress.end()
    interruption.release()
  }
}

/** Whatever it breaks off, an interruption is told as that. */
function asInterruption(error: unknown, { signal, stage }: Interruption, push: string | undefined): unknown {
  if (!signal.aborted || stage === 'merging') return error
  if (stage === 'uploading') return new CommandError({ code: 'upload-interrupted', id: push! }, { cause: error })
  return new CommandError(
    { code: stage === 'downloading' ? 'download-interrupted' : 'preparation-interrupted' },
    { cause: error },
  )
}

interface Merge {
  readonly recipe: Recipe
  readonly flags: MergeFlags
  readonly isGiven: MergeCall['isGiven']
  readonly ownCode: OwnCode
  readonly print: Printer
  readonly interruption: Interruption
  readonly ahead: ThreadAhead | undefined
  readonly onPrepared: (prepared: PreparedMerge) => void
  readonly onKept: (kept: KeptOutput) => void
  /** Told, as soon as there is something to upload, which command does that. */
  readonly onPush: (command: string) => void
}

async function merge(context: Merge): Promise<void> {
  const { recipe, flags, print, interruption, ahead } = context
  const startedAt = performance.now()
  const device = flags.device ?? (flags.cuda ? 'cuda' : 'wasm')
  let runtime = findRuntime(device, { verbose: flags.verbose > 0 })
  const { checkOutput, checkOutputPlace, describeNonFinite, runMerge } = await import('./merging.ts')
  const { out = '' } = recipe
  const overwrite = flags.overwrite ?? false
  if (!isPlanOnly(flags)) {
    print.progress.activity(`looking for the device ${device}`)
    runtime = await checkRuntime(device, runtime)
    if (!recipe.allNamed && flags.planOut === undefined) await checkOutput({ out, overwrite, recipe: recipe.file })
    if (flags.push !== undefined) await (await import('@mk/checkpoint/push')).checkPush({ id: flags.push })
  }
  const prepared = await prepareRecipe(context)
  context.onPrepared(prepared)
  prepared.warnings.forEach((text) => print.warning(text))
  for (const note of [...idleFlagNotes(prepared.config.outFormat, context.isGiven), ...prepared.plan.notes])
    print.note(note)
  interruption.signal.throwIfAborted()
  if (prepared.stages.every(({ isSum }) => isSum)) idleStageFlags(flags).forEach(print.note)
  if (isPlanOnly(flags)) return printPlan(prepared, context)

  if (recipe.shownOut !== undefined) checkOutputPlace(prepared.plan, recipe.shownOut)
  if (prepared.awaited.length > 0) interruption.enter('downloading')
  const streaming = flags.streamInputs === true ? await import('../parts/stream-merge.ts') : undefined
  const readAtHub = streaming?.readAtHub(flags, interruption.signal)
  const plan = await downloadModels(prepared, { out: recipe.out, runtime, threads: flags.threads, readAtHub }, print)
  interruption.signal.throwIfAborted()
  if (flags.planOut !== undefined) {
    const { writePlan } = await import('../parts/write-plan.ts')
    const { json = false, planOut: path, threads } = flags
    const { signal } = interruption
    return writePlan({ path, plan, methods: prepared.methods, runtime, threads, signal, json, out: recipe.out })
  }
  interruption.enter('merging')
  const methods = await watchOwn(prepared.methods, context)
  const keptStages = await keepIntermediates(
    { stages: prepared.stages, methods },
    { flags, print, interruption, onKept: context.onKept, out: recipe.allNamed ? undefined : out, runtime },
  )
  if (recipe.allNamed) return printKept(keptStages, { recipe, flags, startedAt })
  const merging = print.progress.phase('merging')
  const warned = new Set<string>()
  let hasToldResumed = false
  let checking: Phase | undefined
  let norms: Phase | undefined
  try {
    const options: RunOptions = {
      out,
      methods,
      runtime,
      threads: flags.threads,
      ...(ahead && { createWorker: ahead.createWorker }),
      overwrite,
      strict: flags.strict ?? false,
      signal: interruption.signal,
      onKept: context.onKept,
      onProgress: ({ writtenBytes, totalBytes, finishedTensors, tensorCount, resumedTensors, counting }) => {
        if (counting !== undefined) {
          norms ??= print.progress.phase('counting norms')
          return norms.update(counting)
        }
        norms?.end()
        if (resumedTensors > 0 && !hasToldResumed) {
          hasToldResumed = true
          print.note(
            `${resumedTensors} of ${counted(tensorCount, 'tensor')} ${resumedTensors === 1 ? 'was' : 'were'} already done by an interrupted run`,
          )
        }
        const count = `${finishedTensors} of ${counted(tensorCount, 'tensor')}`
        merging.update({ doneBytes: writtenBytes, totalBytes, count })
      },
      checksums: flags.checksums ?? true,
      onChecksums(progress) {
        merging.end()
        checking ??= print.progress.phase('computing checksums')
        checking.update(progress)
      },
      onWarning: (message) => warned.add(message),
    }
    const result = await (streaming?.runStreamed(plan, options, flags) ?? runMerge(plan, options))
    merging.end()
    checking?.end()
    summarize([...warned], flags.verbose > 0).forEach((text) => print.warning(text))
    const found = result.nonFinite.map(describeNonFinite)
    if (found.length > 0) print.warning(...formatNonFinite(found, flags.verbose > 0))
    const seconds = (performance.now() - startedAt) / 1000
    const done = { out: recipe.shownOut ?? out, plan, result, seconds, kept: keptStages }
    if (!flags.json) {
      const { formatResult } = await import('../print/format-result.ts')
      resultStream(recipe).write(formatResult(done, resultScreen(recipe)))
    }
    const pushed = await pushMerged(context, out)
    if (flags.json) {
      const { describeResult } = await import('../print/json-output.ts')
      resultStream(recipe).write(`${JSON.stringify({ ...describeResult(done), ...(pushed && { pushed }) })}\n`)
    } else if (pushed !== undefined) {
      const { formatPushed } = await import('../push/push-output.ts')
      resultStream(recipe).write(formatPushed(pushed))
    }
    if (!flags.json && !flags.quiet && print.screen.isTTY && recipe.shownOut === undefined) {
      const { formatNextSteps } = await import('../print/next-steps.ts')
      print.progress.print(formatNextSteps(done, print.screen))
    }
  } finally {
    merging.end()
    checking?.end()
  }
}

/** Uploads the output, where that is asked for. */
async function pushMerged(
  { flags, interruption, print, onPush }: Merge,
  folder: string,
): Promise<PushResult | undefined> {
  const { push: id, private: isPrivate } = flags
  if (id === undefined) return undefined
  interruption.enter('uploading')
  onPush(`mk-push ${folder} ${id}${isPrivate === true ? ' --private' : ''}`)
  const { pushOutput } = await import('../push/push-output.ts')
  return pushOutput(
    { folder, id, ...(isPrivate !== undefined && { isPrivate }) },
    { print, signal: interruption.signal },
  )
}

/** Tells which merges were written where none is the output. */
async function printKept(
  kept: readonly KeptStage[],
  { recipe, flags, startedAt }: Pick<Merge, 'recipe' | 'flags'> & { readonly startedAt: number },
): Promise<void> {
  const seconds = (performance.now() - startedAt) / 1000
  const text = flags.json
    ? `${JSON.stringify({ version: 1, seconds, kept })}\n`
    : (await import('../print/format-result.ts')).formatKept(kept, resultScreen(recipe))
  resultStream(recipe).write(text)
}

const idleStageFlags = ({ roundIntermediates, keepIntermediates }: MergeFlags): readonly string[] =>
  [
    roundIntermediates === true ? '--round-intermediates' : undefined,
    keepIntermediates === undefined ? undefined : '--keep-intermediates',
  ].flatMap((flag) => (flag === undefined ? [] : [`${flag} has no effect: no merge of the recipe has a name`]))

/** Methods that are not built in may run for ever, and can be interrupted all the same. */
async function watchOwn(
  methods: PreparedMerge['methods'],
  { recipe, ownCode, interruption }: Merge,
): Promise<typeof methods> {
  if (recipe.prepare !== undefined) return methods
  const { builtinMethods } = await import('./merging.ts')
  const watch = (name: string, method: MethodDefinition) =>
    builtinMethods.get(name) === method ? method : ownCode.watched(method, () => interruption.leaveUntilIdle())
  return new Map([...methods].map(([name, method]) => [name, watch(name, method)]))
}

async function printPlan(prepared: PreparedMerge, { recipe, flags }: Merge): Promise<void> {
  if (recipe.allNamed) return printPlans(prepared, { recipe, flags })
  const { tokens, awaited } = prepared
  const plan = recipe.shownOut === undefined ? prepared.plan : asOneFile(prepared.plan, basename(recipe.shownOut))
  const stream = resultStream(recipe)
  if (flags.json && flags.explainTokens)
    return void stream.write(`${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`)
  const { planCost } = await import('./merging.ts')
  const cost = await planCost(plan, { threads: flags.threads })
  if (flags.json) {
    const printed = { ...plan, downloads: awaited, cost }
    return void stream.write(`${JSON.stringify(printed, undefined, 2)}\n`)
  }
  const screen = resultScreen(recipe)
  const text = flags.explainTokens
    ? printable((await import('../print/format-tokens.ts')).formatTokens(tokens, screen))
    : (await import('../print/format-plan.ts')).formatPlan(plan, { awaited, cost, screen, full: flags.verbose > 0 })
  stream.write(text)
}

/** Shows all merges of a file where none is the output. */
async function printPlans(
  { stages, awaited }: PreparedMerge,
  { recipe, flags }: Pick<Merge, 'recipe' | 'flags'>,
): Promise<void> {
  const [{ planCost }, { formatPlan }] = await Promise.all([import('./merging.ts'), import('../print/format-plan.ts')])
  const merges = await Promise.all(
    stages
      .filter(({ isSum }) => !isSum)
      .map(async ({ name, plan }) => ({ name, plan, cost: await planCost(plan, { threads: flags.threads }) })),
  )
  const screen = resultScreen(recipe)
  const text = flags.json
    ? `${JSON.stringify({ version: 1, downloads: awaited, merges: merges.map(({ name, plan, cost }) => ({ name, ...plan, cost })) }, undefined, 2)}\n`
    : merges
        .map(
          ({ name, plan, cost }) => `${name}\n${formatPlan(plan, { awaited, cost, screen, full: flags.verbose > 0 })}`,
        )
        .join('\n')
  resultStream(recipe).write(text)
}

/** What is planned beside the weights goes with the folder. */
const asOneFile = (plan: MergePlan, name: string): MergePlan => ({
  ...plan,
  files: plan.files.map((file) => ({ ...file, name })),
  documents: [],
  copies: [],
})

const resultStream = (recipe: Recipe) => recipe.resultStream ?? process.stdout

/** What a caller collects is text for a file. */
const resultScreen = (recipe: Recipe) => describeScreen(recipe.resultStream === undefined ? process.stdout : {})
