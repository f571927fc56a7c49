/** Exit statuses of the commands. */
export const exitStatus = { success: 0, mergeFailed: 1, usage: 2 } as const

/** Codes of errors that a person mends in the command line or the config, as opposed to a merge that failed. */
const usageCodes = new Set([
  // config and inputs do not fit
  'unknown-method',
  'unknown-parameter',
  'missing-parameter',
  'invalid-parameter',
  'weights-sum-to-zero',
  'density-out-of-range',
  'base-required',
  'model-count',
  'layer-range',
  'empty-slice',
  'slice-lengths',
  'unknown-module',
  'module-twice',
  'ambiguous-module',
  'mixed-architectures',
  'unsupported',
  // no such model
  'model-not-found',
  'folder-not-found',
  'hub-id',
  'hub-not-found',
  'hub-revision',
  // tokenizer settings
  'unknown-model',
  'token-not-in-source',
  'id-out-of-range',
  'force-without-source',
  'bad-padding',
  'unknown-chat-template',
  // the command line
  'output-exists',
  'output-is-input',
  'runtime-unavailable',
  'module-not-found',
  'module-failed',
  'not-a-method',
  'name-taken',
])

const hints: Readonly<Record<string, string>> = {
  'write-failed': 'The partial output was deleted; free some space or mend the folder, then run the command again.',
  'disk-space': 'Give another output folder, or a smaller dtype.',
}

interface CodedError extends Error {
  readonly code?: string
}

/** An error that the commands themselves raise for wrong usage. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code: string

  constructor(message: string, code = 'usage') {
    super(message)
    this.code = code
  }
}

export function statusOf(error: unknown): number {
  if (!(error instanceof Error)) return exitStatus.mergeFailed
  if (error.name === 'ConfigError' || error.name === 'UsageError') return exitStatus.usage
  return usageCodes.has((error as CodedError).code ?? '') ? exitStatus.usage : exitStatus.mergeFailed
}

/** What a person reads; errors that no package foresaw come with their stack. */
export function describeError(error: unknown, { verbose }: { readonly verbose: boolean }): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`
  const foreseen =
    /^(Architecture|Config|Checkpoint|Safetensors|Tokenizer|Merge|Method|Tensor|Usage|Unsupported|Runtime\w*)Error$/.test(
      error.name,
    )
  const hint = hints[(error as CodedError).code ?? '']
  const text = foreseen ? error.message : `${error.message} (this was not foreseen; please report it)`
  const lines = [`error: ${text}`, ...(hint === undefined ? [] : [hint])]
  if (verbose || !foreseen) lines.push(...stackOf(error))
  return lines.join('\n')
}

function stackOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    causes.push(cause.stack ?? cause.message)
  return causes
}
