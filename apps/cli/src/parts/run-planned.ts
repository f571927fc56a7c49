import { counted } from '@mk/errors'
import type { MergeProgress, MergeResult } from '@mk/merge'
import type { PartResult, PartsState, PlanFile, PlannedPart } from '@mk/merge/parts'
import { type Running, runInterruptible } from '../commands/run-interruptible.ts'
import type { MergeCall } from '../commands/run-merge-command.ts'
import { summarize } from '../commands/summarize.ts'
import { CommandError } from '../errors/command-error.ts'
import { exitStatus } from '../errors/exit-status.ts'
import { formatNonFinite } from '../print/format-non-finite.ts'
import type { Phase } from '../print/progress.ts'
import { describeScreen } from '../print/style.ts'
import { formatPart, formatPlannedPart, formatStates } from './format-parts.ts'
import { loadPlanCode } from './load-plan-code.ts'
import { hubOf, type PartFlags } from './part-options.ts'

/** One call with `--plan`. */
interface Planned extends Running {
  readonly flags: PartFlags
  readonly file: PlanFile
  readonly out: string
  readonly call: MergeCall<PartFlags>
  readonly startedAt: number
}

/** Options that are the plan's to say. */
const ofPlan = [
  'outFormat',
  'outDtype',
  'ggufPre',
  'ggufLike',
  'outShardSize',
  'copyTokenizer',
  'writeModelCard',
  'roundIntermediates',
  'keepIntermediates',
  'randomSeed',
  'allowCrimes',
  'lenient',
  'refresh',
  'explainTokens',
  'push',
  'private',
  'planOut',
] as const

/** Carries out a plan, a part of it, or the end of it. @returns the exit status */
export function runPlanned(call: MergeCall<PartFlags>): Promise<number> {
  const { flags } = call
  const startedAt = performance.now()
  // What runs a part tells of a signal itself.
  const explain = (error: unknown) => error
  return runInterruptible({ flags, explain }, async ({ print, interruption }) => {
    const out = checkCall(call)
    interruption.listen()
    const { readPlanFile } = await import('./merging-parts.ts')
    print.progress.activity('reading the plan')
    const file = await readPlanFile(flags.plan!)
    print.progress.activity(undefined)
    const planned = { flags, file, out, call, print, interruption, startedAt }
    if (flags.dryRun === true) await show(planned)
    else await act(planned)
    return exitStatus.success
  })
}

/** @returns the folder of the output. @throws CommandError 'plan-operands', 'option-of-plan' */
function checkCall({ flags, operands, isGiven }: MergeCall<PartFlags>): string {
  const option = ofPlan.find((each) => isGiven(each as keyof PartFlags & string))
  if (option !== undefined) throw new CommandError({ code: 'option-of-plan', option: flagOf(option) })
  const [out, more] = operands
  const isWithoutOut = flags.dryRun === true && flags.finish !== true
  if (more !== undefined || (out === undefined && !isWithoutOut))
    throw new CommandError({ code: 'plan-operands', found: operands.filter((each) => each !== undefined).length })
  if (flags.finish === true && flags.part !== undefined) throw new CommandError({ code: 'part-and-finish' })
  return out ?? ''
}

const flagOf = (attribute: string): string =>
  `--${['copyTokenizer', 'writeModelCard'].includes(attribute) ? 'no-' : ''}${attribute.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

async function show({ flags, file, out }: Planned): Promise<void> {
  const { findParts, listParts } = await import('./merging-parts.ts')
  const screen = describeScreen(process.stdout)
  const write = (value: object, text: () => string) =>
    void process.stdout.write(flags.json ? `${JSON.stringify({ version: 1, ...value })}\n` : text())
  if (flags.finish === true) {
    const parts: readonly PartsState[] = await findParts(file, { out })
    return write({ out, parts }, () => formatStates(out, parts, screen))
  }
  if (flags.part !== undefined) {
    const part: PlannedPart = (await listParts(file, flags.part.of))[flags.part.part - 1]!
    return write(part, () => formatPlannedPart(part, file.plan, screen))
  }
  const { planCost } = await import('../commands/merging.ts')
  const { formatPlan } = await import('../print/format-plan.ts')
  const cost = await planCost(file.plan, { threads: flags.threads })
  write({ ...file.plan, cost }, () => formatPlan(file.plan, { cost, screen, full: flags.verbose > 0 }))
}

async function act(planned: Planned): Promise<void> {
  const { flags, call, file, interruption } = planned
  const loaded = await interruption.leaveWhile(() =>
    loadPlanCode(file, {
      device: flags.device ?? (flags.cuda ? 'cuda' : undefined),
      methodModule: flags.methodModule,
      allowCode: flags.allowCode,
      mapPaths: flags.mapPath,
      ownCode: call.ownCode,
      verbose: flags.verbose > 0,
    }),
  )
  // Methods that are not built in may run for ever, and can be interrupted all the same.
  const methods = new Map(loaded.methods)
  for (const { name } of file.methods) {
    const own = methods.get(name)
    if (own !== undefined)
      methods.set(
        name,
        call.ownCode.watched(own, () => interruption.leaveUntilIdle()),
      )
  }
  const code = { ...loaded, methods }
  interruption.enter('merging')
  if (flags.finish !== true) {
    const result = await part(planned, flags.part ?? { part: 1, of: 1 }, code)
    if (flags.part !== undefined) return tellPart(planned, result)
  }
  return tellFinished(planned, await finish(planned, code))
}

type Code = Awaited<ReturnType<typeof loadPlanCode>>

/** What a part and the end of a merge are both told. */
const settingsOf = ({ flags, out, interruption: { signal } }: Planned, code: Code, warned: Set<string>) => ({
  ...code,
  out,
  overwrite: flags.overwrite ?? false,
  strict: flags.strict ?? false,
  ...(flags.mapPath && { mapPaths: flags.mapPath }),
  streamInputs: flags.streamInputs ?? false,
  hub: hubOf(flags, signal),
  signal,
  onWarning: (message: string) => void warned.add(message),
})

async function part(planned: Planned, number: NonNullable<PartFlags['part']>, code: Code) {
  const { flags, file, print } = planned
  const { runPart } = await import('./merging-parts.ts')
  const merging = print.progress.phase(number.of === 1 ? 'merging' : `part ${number.part} of ${number.of}`)
  const warned = new Set<string>()
  let hasToldResumed = false
  const onProgress = ({ writtenBytes, totalBytes, finishedTensors, tensorCount, resumedTensors }: MergeProgress) => {
    if (resumedTensors > 0 && !hasToldResumed) {
      hasToldResumed = true
      print.note(
        `${resumedTensors} of ${counted(tensorCount, 'tensor')} ${resumedTensors === 1 ? 'was' : 'were'} already done by an earlier try`,
      )
    }
    merging.update({
      doneBytes: writtenBytes,
      totalBytes,
      count: `${finishedTensors} of ${counted(tensorCount, 'tensor')}`,
    })
  }
  try {
    const result = await runPart(file, {
      ...settingsOf(planned, code, warned),
      ...number,
      threads: flags.threads,
      onProgress,
    })
    // Those of a part are told again when all are finished.
    if (flags.part !== undefined) await tellWarnings({ flags, print }, [...warned], result)
    return result
  } finally {
    merging.end()
  }
}

async function finish(planned: Planned, code: Code): Promise<MergeResult> {
  const { flags, file, print } = planned
  const { finishMerge } = await import('./merging-parts.ts')
  const warned = new Set<string>()
  let checking: Phase | undefined
  try {
    const result = await finishMerge(file, {
      ...settingsOf(planned, code, warned),
      checksums: flags.checksums ?? true,
      threads: flags.threads,
      onChecksums(progress) {
        checking ??= print.progress.phase('computing checksums')
        checking.update(progress)
      },
    })
    checking?.end()
    await tellWarnings({ flags, print }, [...warned], result)
    return result
  } finally {
    checking?.end()
  }
}

async function tellWarnings(
  { flags, print }: Pick<Planned, 'flags' | 'print'>,
  warnings: readonly string[],
  { nonFinite }: Pick<MergeResult, 'nonFinite'>,
): Promise<void> {
  summarize(warnings, flags.verbose > 0).forEach((text) => print.warning(text))
  if (nonFinite.length === 0) return
  const { describeNonFinite } = await import('../commands/merging.ts')
  print.warning(...formatNonFinite(nonFinite.map(describeNonFinite), flags.verbose > 0))
}

const secondsSince = (startedAt: number) => (performance.now() - startedAt) / 1000

function tellPart({ flags, file, out, startedAt }: Planned, result: PartResult): void {
  const seconds = secondsSince(startedAt)
  const text = flags.json
    ? `${JSON.stringify({ version: 1, out, plan: file.id, ...result, seconds })}\n`
    : formatPart({ out, result, seconds }, describeScreen(process.stdout))
  process.stdout.write(text)
}

async function tellFinished({ flags, file, out, startedAt }: Planned, result: MergeResult): Promise<void> {
  const done = { out, plan: file.plan, result, seconds: secondsSince(startedAt) }
  if (flags.json) {
    const { describeResult } = await import('../print/json-output.ts')
    process.stdout.write(`${JSON.stringify(describeResult(done))}\n`)
    return
  }
  const { formatResult } = await import('../print/format-result.ts')
  process.stdout.write(formatResult(done, describeScreen(process.stdout)))
}
