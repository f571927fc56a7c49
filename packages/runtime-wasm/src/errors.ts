export type RuntimeWasmIssue =
  /** The memory that all buffers and calls of a runtime share has no room for another one. */
  | {
      readonly code: 'memory-exhausted'
      readonly neededBytes: number
      readonly freeBytes: number
      readonly memoryBytes: number
      readonly purpose: string
    }
  | { readonly code: 'memory-size'; readonly memoryBytes: number; readonly largest: number }
  /** The engine has no WebAssembly, or no SIMD or bulk memory operations in it, or refused the memory. */
  | { readonly code: 'engine'; readonly what: string }
  | { readonly code: 'closed' }

/** What can go wrong here besides the TensorErrors of malformed programs and calls. Test `code`; the message is for people. */
export class RuntimeWasmError extends Error {
  override readonly name = 'RuntimeWasmError'
  readonly issue: RuntimeWasmIssue

  constructor(issue: RuntimeWasmIssue, options?: ErrorOptions) {
    super(describe(issue), options)
    this.issue = issue
  }

  get code(): RuntimeWasmIssue['code'] {
    return this.issue.code
  }
}

function describe(issue: RuntimeWasmIssue): string {
  switch (issue.code) {
    case 'memory-exhausted':
      return `${issue.purpose} needs ${issue.neededBytes} bytes, but ${issue.freeBytes} of the runtime's ${issue.memoryBytes} are free: expected smaller calls, or a larger memoryBytes`
    case 'memory-size':
      return `memoryBytes is ${issue.memoryBytes}, expected a number from 65536 to ${issue.largest}`
    case 'engine':
      return `this JavaScript engine cannot run WebAssembly kernels (${issue.what}): expected one with SIMD, such as Node 20`
    case 'closed':
      return 'the runtime has been closed: expected no calls after close()'
    default:
      return issue satisfies never
  }
}
