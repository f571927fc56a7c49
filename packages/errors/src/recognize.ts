import type { IssueError } from './issues.ts'

/** In the registry of symbols, so that every copy of this package has the same one (docs/decisions/errors-as-data.md). */
export const mark: unique symbol = Symbol.for('@mk/errors') as never

/** Gives the error back if it is one of these packages', of whichever installed copy; else undefined. */
export function issueErrorOf(error: unknown): IssueError | undefined {
  return error instanceof Error && mark in error ? (error as Error as IssueError) : undefined
}

/** Tells whether the error is one of these packages' and has one of the codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  const code = issueErrorOf(error)?.code
  return code !== undefined && codes.includes(code)
}
