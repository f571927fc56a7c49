import { basename, resolve } from 'node:path'
import { printable, shortened } from '@mk/errors'
import type { MethodDefinition } from '@mk/methods'
import type { KeptOutput, MergePlan, PreparedMerge } from '@mk/merge'
import { CommandError } from '../errors/command-error.ts'
import { describeError, statusOf } from '../errors/describe-error.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { formatNonFinite } from '../print/format-non-finite.ts'
import { createProgress, silentProgress } from '../print/progress.ts'
import { formatBytes, formatSeconds } from '../print/sizes.ts'
import { checkRuntime, findRuntime } from '../runtimes/find-runtime.ts'
import { createInterruption, type Interruption } from './interruption.ts'
import { loadMethods } from './load-methods.ts'
import { isPlanOnly, type MergeFlags } from './merge-flags.ts'
import type { OwnCode } from './own-code.ts'
import type { Recipe } from './recipe.ts'
import type { MergeCall } from './run-merge-command.ts'

/** Runs one merge for a command, or prints its plan: the result goes to stdout, all else to stderr. @returns the exit status */
export async function executeMerge(
  recipe: Recipe,
  { flags, ownCode }: MergeCall,
  notes: readonly string[],
): Promise<number> {
  const interruption = createInterruption()
  const print = createPrinter(flags)
  let kept: KeptOutput | undefined
  try {
    notes.forEach(print.note)
    await merge({ recipe, flags, ownCode, print, interruption, onKept: (folder) => (kept = folder) })
    return exitStatus.success
  } catch (error) {
    process.stderr.write(`${describeError(error, { verbose: flags.verbose > 0, recipe })}\n`)
    if (kept !== undefined)
      process.stderr.write(
        `${kept.tensorCount} finished ${kept.tensorCount === 1 ? 'tensor is' : 'tensors are'} kept in ${kept.folder}: the same command goes on from there, deleting that folder starts over.\n`,
      )
    return interruption.status ?? statusOf(error)
  } finally {
    interruption.release()
  }
}

interface Merge {
  readonly recipe: Recipe
  readonly flags: MergeFlags
  readonly ownCode: OwnCode
  readonly print: Printer
  readonly interruption: Interruption
  readonly onKept: (kept: KeptOutput) => void
}

async function merge(context: Merge): Promise<void> {
  const { recipe, flags, ownCode, print, interruption } = context
  const device = flags.device ?? (flags.cuda ? 'cuda' : 'wasm')
  const runtime = findRuntime(device, { verbose: flags.verbose > 0 })
  const { checkOutput, describeNonFinite, prepareMerge, runMerge } = await import('@mk/merge')
  const { out = '' } = recipe
  const overwrite = flags.overwrite ?? false
  if (!isPlanOnly(flags)) {
    await checkRuntime(device)
    await checkOutput({ out, overwrite, recipe: recipe.file })
  }

  const { loadMethodModule } = await import('@mk/methods/node')
  const prepared = await prepareMerge({
    text: recipe.text,
    file: recipe.file,
    methods: await loadMethods(flags.methodModule, ownCode),
    loadMethod: (module, folder) => ownCode.load(module, () => loadMethodModule(module, folder)),
    allowCode: allowedCode(recipe, flags),
    seed: flags.randomSeed,
    shardBytes: flags.outShardSize,
    ...(flags.outFormat !== undefined && { outFormat: flags.outFormat }),
    ...(flags.outDtype !== undefined && { outDtype: flags.outDtype }),
    copyTokenizer: flags.copyTokenizer,
    writeModelCard: flags.writeModelCard,
    ...(flags.ggufPre !== undefined && { preTokenizer: flags.ggufPre }),
    ...(out !== '' && { name: basename(resolve(out)) }),
    ...(recipe.modelName !== undefined && { name: recipe.modelName }),
    lenient: flags.lenient ?? false,
    allowMixedArchitectures: flags.allowCrimes ?? false,
    hub: {
      signal: interruption.signal,
      ...(flags.transformersCache !== undefined && { transformersCache: flags.transformersCache }),
    },
  })
  prepared.warnings.forEach((text) => print.warning(text))
  prepared.plan.notes.forEach(print.note)
  if (isPlanOnly(flags)) return printPlan(prepared, context)

  const startedAt = performance.now()
  interruption.listen()
  const plan = await download(prepared, context)
  const merging = print.progress('merging')
  const warned = new Set<string>()
  try {
    const result = await runMerge(plan, {
      out,
      methods: await watchOwn(prepared.methods, context),
      runtime,
      threads: flags.threads,
      overwrite,
      strict: flags.strict ?? false,
      signal: interruption.signal,
      onKept: context.onKept,
      onProgress: ({ writtenBytes, totalBytes, finishedTensors, tensorCount }) =>
        merging.update(writtenBytes, totalBytes, `${finishedTensors} of ${tensorCount} tensors`),
      onWarning: (message) => warned.add(message),
    })
    merging.end()
    summarize([...warned], flags.verbose > 0).forEach((text) => print.warning(text))
    const found = result.nonFinite.map(describeNonFinite)
    if (found.length > 0) print.warning(...formatNonFinite(found, flags.verbose > 0))
    const seconds = (performance.now() - startedAt) / 1000
    if (result.resumedTensors > 0)
      print.note(`${result.resumedTensors} of ${result.tensorCount} tensors were already done by an interrupted run`)
    const { shownOut = out } = recipe
    const files = `${plan.files.length} ${plan.files.length === 1 ? 'file' : 'files'}`
    resultStream(recipe).write(
      flags.json
        ? `${JSON.stringify({ out: shownOut, ...result, seconds })}\n`
        : `${shownOut}: ${result.tensorCount} tensors, ${formatBytes(result.writtenBytes)} in ${files}, ${formatSeconds(seconds)}\n`,
    )
  } finally {
    merging.end()
  }
}

/** Methods that are not built in may run for ever, and can be interrupted all the same. */
async function watchOwn(methods: PreparedMerge['methods'], { ownCode, interruption }: Merge): Promise<typeof methods> {
  const { builtinMethods } = await import('@mk/methods')
  const watch = (name: string, method: MethodDefinition) =>
    builtinMethods.get(name) === method ? method : ownCode.watched(method, () => interruption.leaveUntilTurn())
  return new Map([...methods].map(([name, method]) => [name, watch(name, method)]))
}

/** What the command line names may run; what only the recipe names, with --allow-code, and never where a plan is all that is asked for. */
function allowedCode({ modules = [] }: Recipe, flags: MergeFlags): true | readonly string[] {
  if (flags.allowCode && !isPlanOnly(flags)) return true
  return [...modules, ...(flags.methodModule ?? [])].map((module) => resolve(module))
}

async function download(prepared: PreparedMerge, { recipe, print, interruption }: Merge): Promise<MergePlan> {
  const downloading = print.progress('downloading')
  try {
    const plan = await prepared.download({
      out: recipe.out ?? '',
      onProgress: ({ id, doneBytes, totalBytes }) => downloading.update(doneBytes, totalBytes, id),
    })
    downloading.end()
    for (const note of plan.notes) if (!prepared.plan.notes.includes(note)) print.note(note)
    return plan
  } catch (error) {
    if (!interruption.signal.aborted) throw error
    throw new CommandError({ code: 'download-interrupted' }, { cause: error })
  } finally {
    downloading.end()
  }
}

async function printPlan({ plan, tokens }: PreparedMerge, { recipe, flags }: Merge): Promise<void> {
  const printed = flags.explainTokens ? tokens : plan
  if (flags.json) return void resultStream(recipe).write(`${JSON.stringify(printed, undefined, 2)}\n`)
  const text = flags.explainTokens
    ? (await import('../print/format-tokens.ts')).formatTokens(tokens)
    : (await import('../print/format-plan.ts')).formatPlan(plan)
  resultStream(recipe).write(printable(text))
}

const resultStream = (recipe: Recipe) => recipe.resultStream ?? process.stdout

type Printer = ReturnType<typeof createPrinter>

/** What goes to stderr unless --quiet was given. */
function createPrinter({ quiet }: MergeFlags) {
  const say = (line: string) => {
    // Names of tensors, tokens and files are the input's.
    if (!quiet) process.stderr.write(`${shortened(line, 4000)}\n`)
  }
  return {
    note: (text: string) => say(`note: ${text}`),
    /** Each further item is a line of its own below the text. */
    warning: (text: string, ...items: readonly string[]) =>
      [`warning: ${text}`, ...items.map((item) => `  ${item}`)].forEach(say),
    progress: (label: string) => (quiet ? silentProgress : createProgress(process.stderr, label)),
  }
}

const shownWarnings = 3

function summarize(warnings: readonly string[], all: boolean): string[] {
  if (all || warnings.length <= shownWarnings) return [...warnings]
  return [...warnings.slice(0, shownWarnings), `and ${warnings.length - shownWarnings} more like these (-v shows all)`]
}
