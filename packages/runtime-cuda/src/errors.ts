export type RuntimeCudaIssue =
  /** What is missing here, and what to do about it. */
  | {
      readonly code: 'runtime-unavailable'
      readonly runtime: string
      readonly missing: string
      readonly remedy: string
    }
  | { readonly code: 'memory-size'; readonly option: string; readonly value: number }
  | { readonly code: 'closed' }

/** What can go wrong here besides the TensorErrors of programs and calls. Test `code`; the message is for people. */
export class RuntimeCudaError extends Error {
  override readonly name = 'RuntimeCudaError'
  readonly issue: RuntimeCudaIssue

  constructor(issue: RuntimeCudaIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): RuntimeCudaIssue['code'] {
    return this.issue.code
  }
}

function describe(issue: RuntimeCudaIssue): string {
  switch (issue.code) {
    case 'runtime-unavailable':
      return `the ${issue.runtime} runtime cannot run here: ${issue.missing}; ${issue.remedy}`
    case 'memory-size':
      return `${issue.option} is ${issue.value}, expected a whole number, 1 or more`
    case 'closed':
      return 'the runtime has been closed: expected no calls after close()'
    default:
      return issue satisfies never
  }
}
