import { defineError, defineIssues, failure, type IssueOf } from '@mk/errors'
import { TensorError } from '@mk/tensor'

const rules = defineIssues({
  /** The memory that all buffers and calls of a runtime share has no room for another one. */
  'memory-exhausted': failure<{
    readonly neededBytes: number
    readonly freeBytes: number
    readonly memoryBytes: number
    readonly purpose: string
  }>(
    ({ purpose, neededBytes, freeBytes, memoryBytes }) =>
      `${purpose} needs ${neededBytes} bytes, but ${freeBytes} of the runtime's ${memoryBytes} are free: expected smaller calls, or a larger memoryBytes`,
  ),
})

/** What a RuntimeWasmError is about, by `code`. */
export type RuntimeWasmIssue = IssueOf<typeof rules>

/** What can go wrong here besides the TensorErrors of every runtime. Test `code`; the message is for people. */
export class RuntimeWasmError extends defineError('RuntimeWasmError', rules) {}

const remedies = {
  engine: 'use a JavaScript engine with WebAssembly SIMD, such as Node 20',
  // Of each memory the engine reserves more addresses than any access could reach, unless it checks each access.
  memory:
    'close what takes memory; where addresses are limited (ulimit -v), allow some 10 GB for each thread, or set NODE_OPTIONS=--disable-wasm-trap-handler, with which it takes less',
}

/** Says that the engine has no WebAssembly, or no SIMD or bulk memory operations in it, or refused the memory. */
export const unavailable = (
  missing: string,
  { cause, mend = 'engine' }: { readonly cause?: unknown; readonly mend?: keyof typeof remedies } = {},
): TensorError =>
  new TensorError({ code: 'runtime-unavailable', runtime: 'wasm', missing, remedy: remedies[mend] }, { cause })
