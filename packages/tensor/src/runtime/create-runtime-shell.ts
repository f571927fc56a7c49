import { TensorError } from '../errors.ts'
import { checkProgram } from '../program/check-program.ts'
import { programKey } from '../program/format-program.ts'
import type { Program } from '../program/program.ts'
import { checkCall } from './check-call.ts'
import type { Kernel, Runtime } from './runtime.ts'

/** What a runtime does itself; the shell sees to the rest of the contract. */
export interface RuntimeParts {
  readonly name: string
  readonly preferredElements?: number
  /** Absent: buffers are ordinary ones. */
  allocate?(byteLength: number): Uint8Array
  /** Makes the kernel of a well-formed program. Its calls fit the program. @throws TensorError 'unsupported-program' */
  compile(program: Program): Promise<Kernel>
  /** Gives back what the runtime holds; no kernel runs any more. */
  close?(): Promise<void>
  /** Whether kernels share something and may not run, or be compiled, before the last one has finished. */
  readonly inTurns?: boolean
}

/**
 * Makes a runtime from what is particular to it. Programs and calls are checked, equal programs are compiled once, calls wait for
 * one another where they must, and after `close` everything throws TensorError 'runtime-closed'.
 */
export function createRuntimeShell({
  name,
  preferredElements,
  allocate = (byteLength) => new Uint8Array(byteLength),
  compile,
  close,
  inTurns = false,
}: RuntimeParts): Runtime {
  const kernels = new Map<string, Promise<Kernel>>()
  let isOpen = true
  const checkOpen = (): void => {
    if (!isOpen) throw new TensorError({ code: 'runtime-closed' })
  }
  let previous: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => T | Promise<T>): Promise<T> => {
    const result = previous.then(action)
    previous = result.catch(() => {})
    return result
  }
  const checked = (program: Program, kernel: Kernel): Kernel => {
    const check = (call: Parameters<Kernel['run']>[0]): void => {
      checkOpen()
      checkCall(program, call)
    }
    if (!inTurns) {
      return {
        run(call) {
          check(call)
          return kernel.run(call)
        },
      }
    }
    return {
      async run(call) {
        check(call)
        return inTurn(() => kernel.run(call))
      },
    }
  }
  const build = async (program: Program): Promise<Kernel> =>
    checked(program, await (inTurns ? inTurn(() => compile(program)) : compile(program)))
  return {
    name,
    ...(preferredElements !== undefined && { preferredElements }),
    allocate(byteLength) {
      checkOpen()
      return allocate(byteLength)
    },
    async compile(program) {
      checkOpen()
      checkProgram(program)
      const key = programKey(program)
      let kernel = kernels.get(key)
      if (kernel === undefined) kernels.set(key, (kernel = build(program)))
      return kernel
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      kernels.clear()
      await inTurn(() => close?.())
    },
  }
}
