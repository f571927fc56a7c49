import { issueErrorOf } from '@mk/errors'
import { explainError, hintsOf, stackOf } from './describe-error.ts'
import { type QuotedText, withoutPlace } from './quote-lines.ts'

/** What `--json` prints of an error. `version` changes when a name goes or changes its meaning; names may be added. */
interface JsonError {
  readonly version: 1
  readonly error: {
    /** As docs/errors.md lists them; 'command-line' for arguments that can't be parsed, 'system' for what the system refuses, 'unforeseen' for the rest. */
    readonly code: string
    /** 'usage': the user has to mend something; 'failure': trying again may help. */
    readonly fault: 'usage' | 'failure'
    readonly exitStatus: number
    readonly message: string
    /** Every single thing that is wrong; one where nothing but the message is known. */
    readonly faults: readonly JsonFault[]
    readonly hints: readonly string[]
    /** With --verbose: of the error, and of what caused it. */
    readonly stacks?: readonly string[]
  }
}

interface JsonFault {
  readonly code: string
  readonly message: string
  /** Where in the recipe; lines and columns count from 1. */
  readonly place?: { readonly file: string; readonly line: number; readonly column: number }
}

/** Makes the line of JSON that tells of an error. @param recipe to find places in it */
export function formatJsonError(
  error: unknown,
  {
    status,
    recipe,
    verbose = false,
  }: { readonly status: number; readonly recipe?: Omit<QuotedText, 'text'> | undefined; readonly verbose?: boolean },
): string {
  const known = issueErrorOf(error)
  const explained = error instanceof Error ? explainError(error) : undefined
  const text = explained ?? (error instanceof Error ? error.message : String(error))
  const withoutPlaces = (told: string) =>
    recipe === undefined
      ? told
      : told
          .split('\n')
          .map((line) => withoutPlace(line, recipe))
          .join('\n')
  const message = withoutPlaces(text)
  const code = known?.code ?? (explained === undefined ? 'unforeseen' : 'system')
  const described: JsonError = {
    version: 1,
    error: {
      code,
      fault: known?.fault ?? 'failure',
      exitStatus: status,
      message,
      faults: listFaults(error, text, code).map((fault) =>
        withPlace({ ...fault, message: withoutPlaces(fault.message) }, recipe?.file),
      ),
      hints: hintsOf(error),
      ...(verbose && error instanceof Error && { stacks: stackOf(error) }),
    },
  }
  return `${JSON.stringify(described)}\n`
}

/** Makes the line of JSON that tells what is wrong with the command line. */
export function formatJsonUsage(message: string, status: number): string {
  const fault = { code: 'command-line', message }
  const described: JsonError = {
    version: 1,
    error: { ...fault, fault: 'usage', exitStatus: status, faults: [fault], hints: [] },
  }
  return `${JSON.stringify(described)}\n`
}

function listFaults(error: unknown, message: string, code: string): JsonFault[] {
  const { faults } = (issueErrorOf(error)?.issue ?? {}) as {
    readonly faults?: readonly { readonly code: string; readonly text: string }[]
  }
  if (faults !== undefined) return faults.map((fault) => ({ code: fault.code, message: fault.text }))
  const { issues } = error as { readonly issues?: readonly { readonly code: string }[] }
  const lines = message.split('\n')
  if (issues !== undefined && issues.length === lines.length)
    return issues.map((issue, index) => ({ code: issue.code, message: lines[index]! }))
  return [{ code, message }]
}

function withPlace(fault: JsonFault, file: string | undefined): JsonFault {
  if (file === undefined || !fault.message.startsWith(`${file}:`)) return fault
  const groups = /^(\d+):(\d+): /.exec(fault.message.slice(file.length + 1))
  if (groups === null) return fault
  return { ...fault, place: { file, line: Number(groups[1]), column: Number(groups[2]) } }
}
