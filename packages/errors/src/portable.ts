import type { Fault } from './issues.ts'
import { issueErrorOf, mark } from './recognize.ts'

/** What survives of an error on its way between threads: not its class, but all that tells what happened. Plain data. */
export interface PackedError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Absent for errors that are not of these packages. */
  readonly known?: { readonly code: string; readonly issue: unknown; readonly fault: Fault }
}

/** Turns anything thrown into data that structured clone takes. */
export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined }
  const { name, message, stack } = error
  const known = issueErrorOf(error)
  if (known === undefined) return { name, message, stack }
  const { code, issue, fault } = known
  return { name, message, stack, known: { code, issue: cloned(issue, code), fault } }
}

/** Makes an error again that `issueErrorOf` recognizes if it was one of these packages'. */
export function unpackError({ name, message, stack, known }: PackedError): Error {
  const error = Object.assign(new Error(message), { name, ...known })
  if (stack !== undefined) error.stack = stack
  if (known !== undefined) Object.defineProperty(error, mark, { value: true })
  return error
}

function cloned(issue: unknown, code: string): unknown {
  try {
    return structuredClone(issue)
  } catch {
    return { code }
  }
}
