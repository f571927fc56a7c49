import { describeError, exitStatus, statusOf } from './describe-error.ts'
import type { MergeFlags } from './merge-flags.ts'
import { createProgress, silentProgress } from './progress.ts'
import { checkRuntime, findRuntime } from './runtimes.ts'
import { formatBytes, formatSeconds } from './sizes.ts'

export interface MergeRequest {
  /** The recipe as YAML, and the file it came from: errors name it, models are also looked for beside it. */
  readonly text: string
  readonly file?: string
  readonly out: string
  readonly flags: MergeFlags
  /** One-line remarks to print before anything else. */
  readonly notes: readonly string[]
  /** Where the result goes instead of stdout. */
  readonly resultStream?: { write(text: string): unknown }
}

/** Runs one merge for a command: the result goes to stdout, all else to stderr. @returns the exit status. */
export async function executeMerge(request: MergeRequest): Promise<number> {
  const { flags } = request
  try {
    await merge(request)
    return exitStatus.success
  } catch (error) {
    process.stderr.write(`${describeError(error, { verbose: flags.verbose > 0 })}\n`)
    return statusOf(error)
  }
}

async function merge({ text, file, out, flags, notes, resultStream = process.stdout }: MergeRequest): Promise<void> {
  const say = (line: string) => {
    if (!flags.quiet) process.stderr.write(`${line}\n`)
  }
  notes.forEach((note) => say(`note: ${note}`))
  const device = flags.device ?? (flags.cuda ? 'cuda' : 'wasm')
  const runtime = findRuntime(device, { verbose: flags.verbose > 0 })
  const { checkOutput, prepareMerge, runMerge } = await import('@mk/merge')
  const planOnly = flags.dryRun === true || flags.explainTokens === true
  if (!planOnly) await checkRuntime(device)
  if (!planOnly) await checkOutput({ out, overwrite: flags.overwrite ?? false })

  const { loadMethodModule, loadMethods } = await import('./load-methods.ts')
  const prepared = await prepareMerge({
    text,
    methods: await loadMethods(flags.methodModule ?? []),
    loadMethod: loadMethodModule,
    seed: flags.randomSeed,
    shardBytes: flags.outShardSize,
    copyTokenizer: flags.copyTokenizer,
    writeModelCard: flags.writeModelCard,
    allowMixedArchitectures: flags.allowCrimes ?? false,
    hub: { ...(flags.transformersCache !== undefined && { transformersCache: flags.transformersCache }) },
    ...(file !== undefined && { file }),
  })
  for (const warning of prepared.warnings) say(`warning: ${warning}`)
  for (const note of prepared.plan.notes) say(`note: ${note}`)
  if (flags.explainTokens) {
    const { formatTokens } = await import('./format-tokens.ts')
    return void resultStream.write(
      flags.json ? `${JSON.stringify(prepared.tokens, undefined, 2)}\n` : formatTokens(prepared.tokens),
    )
  }
  if (flags.dryRun) {
    const { formatPlan } = await import('./format-plan.ts')
    return void resultStream.write(
      flags.json ? `${JSON.stringify(prepared.plan, undefined, 2)}\n` : formatPlan(prepared.plan),
    )
  }

  const startedAt = performance.now()
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort(new Error('interrupted'))
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  const progressFor = (label: string) => (flags.quiet ? silentProgress : createProgress(process.stderr, label))
  const downloading = progressFor('downloading')
  const merging = progressFor('merging')
  const warned = new Set<string>()
  try {
    const plan = await prepared.download({
      out,
      onProgress: ({ id, doneBytes, totalBytes }) => downloading.update(doneBytes, totalBytes, id),
    })
    downloading.end()
    for (const note of plan.notes) if (!prepared.plan.notes.includes(note)) say(`note: ${note}`)
    const result = await runMerge(plan, {
      out,
      methods: prepared.methods,
      runtime,
      threads: flags.threads,
      overwrite: flags.overwrite ?? false,
      signal: interrupt.signal,
      onProgress: ({ writtenBytes, totalBytes, finishedTensors, tensorCount }) =>
        merging.update(writtenBytes, totalBytes, `${finishedTensors} of ${tensorCount} tensors`),
      onWarning: (message) => warned.add(message),
    })
    merging.end()
    for (const line of summarise([...warned], flags.verbose > 0)) say(`warning: ${line}`)
    const seconds = (performance.now() - startedAt) / 1000
    if (result.resumedTensors > 0)
      say(`note: ${result.resumedTensors} of ${result.tensorCount} tensors were already done by an interrupted run`)
    resultStream.write(
      flags.json
        ? `${JSON.stringify({ out, ...result, seconds })}\n`
        : `${out}: ${result.tensorCount} tensors, ${formatBytes(result.writtenBytes)} in ${plan.files.length} ${plan.files.length === 1 ? 'file' : 'files'}, ${formatSeconds(seconds)}\n`,
    )
  } finally {
    downloading.end()
    merging.end()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

const shownWarnings = 3

function summarise(warnings: readonly string[], all: boolean): string[] {
  if (all || warnings.length <= shownWarnings) return [...warnings]
  return [...warnings.slice(0, shownWarnings), `and ${warnings.length - shownWarnings} more like these (-v shows all)`]
}
