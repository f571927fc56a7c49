export type RuntimeGpuIssue =
  /** What is missing here, and what to do about it. */
  | { readonly code: 'runtime-unavailable'; readonly missing: string; readonly remedy: string }
  | { readonly code: 'closed' }

/** What can go wrong here besides the TensorErrors of programs and calls. Test `code`; the message is for people. */
export class RuntimeGpuError extends Error {
  override readonly name = 'RuntimeGpuError'
  readonly issue: RuntimeGpuIssue

  constructor(issue: RuntimeGpuIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): RuntimeGpuIssue['code'] {
    return this.issue.code
  }
}

function describe(issue: RuntimeGpuIssue): string {
  switch (issue.code) {
    case 'runtime-unavailable':
      return `the gpu runtime cannot run here: ${issue.missing}; ${issue.remedy}`
    case 'closed':
      return 'the runtime has been closed: expected no calls after close()'
    default:
      return issue satisfies never
  }
}
