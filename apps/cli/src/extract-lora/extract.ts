import { type Checkpoint, openCheckpoint } from '@mk/checkpoint'
import { parseModelReference } from '@mk/config'
import { counted } from '@mk/errors'
import { checkAdapterFolder, type ExtractionPlan, type ExtractionSettings, extractLora, planExtraction } from '@mk/lora'
import { describeNonFinite } from '@mk/tensor'
import { type Running, runInterruptible } from '../commands/run-interruptible.ts'
import { readModelArgument } from '../commands/model-argument.ts'
import type { Printer } from '../commands/printer.ts'
import { CommandError } from '../errors/command-error.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { describeActivity } from '../print/describe-activity.ts'
import { formatNonFinite } from '../print/format-non-finite.ts'
import { describeScreen } from '../print/style.ts'
import { formatExtraction, formatExtractionPlan } from './format-extraction.ts'
import type { ExtractFlags } from './mergekit-extract-lora.ts'

/** Extracts an adapter as the flags say, or prints the plan: the result goes to stdout, all else to stderr. @returns the exit status */
export function extract(flags: ExtractFlags, notes: readonly string[]): Promise<number> {
  return runInterruptible({ flags }, async (running) => {
    notes.forEach(running.print.note)
    await run({ flags, ...running })
    return exitStatus.success
  })
}

interface Call extends Running {
  readonly flags: ExtractFlags
}

async function run({ flags, print, interruption }: Call): Promise<void> {
  const startedAt = performance.now()
  const { signal } = interruption
  const { outPath, overwrite = false } = flags
  if (!flags.dryRun) await checkAdapterFolder(needed(outPath), overwrite)
  const settings: ExtractionSettings = {
    maxRank: flags.maxRank,
    distributeScale: flags.distributeScale,
    embedLora: flags.embedLora ?? false,
    saveModules: flags.saveModule,
    include: flags.includeRegex,
    exclude: flags.excludeRegex,
    svEpsilon: flags.svEpsilon,
    skipUndecomposable: flags.skipUndecomposable ?? false,
    seed: flags.randomSeed,
    ...(flags.energy !== undefined && { energy: flags.energy }),
  }
  print.progress.activity('opening the models')
  const [fineTune, base] = [
    await open(flags.model, { flags, print, interruption }),
    await open(flags.baseModel, { flags, print, interruption }),
  ]
  print.progress.activity(undefined)
  const plan = planExtraction(fineTune, base, settings)
  plan.notes.forEach(print.note)
  warnOf(plan, settings, print)
  if (flags.dryRun) return printPlan(plan, flags)

  // Until then, and where nothing is asked of a hub, signals are the system's.
  interruption.listen()
  await download([fineTune, base], { flags, print, interruption })
  // What was written is removed before the process ends.
  interruption.enter('merging')
  const phase = print.progress.phase('extracting')
  try {
    const result = await extractLora({
      fineTune,
      base,
      plan,
      settings,
      out: needed(outPath),
      overwrite,
      strict: flags.strict ?? false,
      writeCard: flags.writeModelCard,
      threads: flags.threads,
      signal,
      onProgress: ({ doneBytes, totalBytes, doneModules, moduleCount }) =>
        phase.update({ doneBytes, totalBytes, count: `${doneModules} of ${counted(moduleCount, 'module')}` }),
    })
    phase.end()
    const found = result.nonFinite.map(describeNonFinite)
    if (found.length > 0) print.warning(...formatNonFinite(found, flags.verbose > 0))
    const seconds = (performance.now() - startedAt) / 1000
    if (flags.json) process.stdout.write(`${JSON.stringify({ version: 1, ...result, seconds })}\n`)
    else process.stdout.write(formatExtraction(result, seconds, describeScreen(process.stdout)))
  } finally {
    phase.end()
  }
}

function needed(outPath: string | undefined): string {
  if (outPath !== undefined) return outPath
  throw new CommandError({ code: 'option-missing', option: '--out-path FOLDER', instead: '--dry-run' })
}

async function open(model: string, { flags, print, interruption }: Call): Promise<Checkpoint> {
  return openCheckpoint(parseModelReference(await readModelArgument(model)), {
    roots: [process.cwd()],
    signal: interruption.signal,
    hub: {
      refresh: flags.refresh ?? false,
      onActivity(activity) {
        interruption.listen()
        print.progress.activity(describeActivity(activity).text)
      },
      ...(flags.transformersCache !== undefined && { transformersCache: flags.transformersCache }),
    },
  })
}

function warnOf({ vocabulary }: ExtractionPlan, { embedLora = false }: ExtractionSettings, print: Printer): void {
  if (vocabulary === undefined) return
  print.warning(
    `the fine-tune has ${vocabulary.fine} rows of embeddings, the base ${vocabulary.base}: they are saved whole${embedLora ? ' in spite of --embed-lora' : ''}, and the base has to be resized before PEFT loads the adapter (README.md of the output says how)`,
  )
}

async function download(models: readonly Checkpoint[], { print, interruption }: Call): Promise<void> {
  const awaited = models.filter(({ downloadBytes = 0 }) => downloadBytes > 0)
  if (awaited.length === 0) return
  interruption.enter('downloading')
  const phase = print.progress.phase('downloading')
  try {
    for (const model of awaited)
      await model.download!(
        ({ id, file, doneBytes, totalBytes, earlierBytes }) =>
          phase.update({
            doneBytes: earlierBytes + doneBytes,
            totalBytes: earlierBytes + totalBytes,
            names: `${id} ${file}`,
          }),
        interruption.signal,
      )
  } finally {
    phase.end()
  }
}

function printPlan(plan: ExtractionPlan, { json, verbose }: ExtractFlags): void {
  const screen = describeScreen(process.stdout)
  if (!json) return void process.stdout.write(formatExtractionPlan(plan, { screen, full: verbose > 0 }))
  const { decomposed, whole, leftOut, vocabulary, notes } = plan
  const printed = {
    version: 1,
    decomposed: decomposed.map(({ module, fine, bias }) => ({ module, shape: fine.shape, bias: bias !== undefined })),
    whole: whole.map(({ module, reason }) => ({ module, reason })),
    leftOut,
    vocabulary,
    notes,
  }
  process.stdout.write(`${JSON.stringify(printed, undefined, 2)}\n`)
}
