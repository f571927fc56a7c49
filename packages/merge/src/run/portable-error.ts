/** What survives of an error on its way between threads: its class is lost, its code and issue are not. */
export interface PortableError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly issue: unknown
}

export function portableError(error: unknown): PortableError {
  if (!(error instanceof Error))
    return { name: 'Error', message: String(error), stack: undefined, code: undefined, issue: undefined }
  const { name, message, stack, code, issue } = error as Error & { code?: string; issue?: unknown }
  return { name, message, stack, code, issue: isPlain(issue) ? issue : undefined }
}

export function restoreError({ name, message, stack, code, issue }: PortableError): Error {
  const error = new Error(message)
  return Object.assign(error, { name, code, issue, ...(stack === undefined ? {} : { stack }) })
}

function isPlain(issue: unknown): boolean {
  try {
    structuredClone(issue)
    return true
  } catch {
    return false
  }
}
