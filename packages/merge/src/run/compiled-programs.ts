import { dtypeBytes } from '@mk/safetensors'
import { type Kernel, type Runtime, usedInputs } from '@mk/tensor/runtime'
import type { KernelWork } from './task.ts'

/** The kernel of a program, and what an executor asks of the program for each call. */
export interface Compiled {
  readonly kernel: Kernel
  /** By input slot, whether the program reads it. */
  readonly uses: readonly boolean[]
  /** Bytes of an element of each output that is stored. */
  readonly stored: readonly number[]
  /** Of an element, in all that is read and stored. */
  readonly elementBytes: number
}

/** Creates what compiles programs for a runtime, each once. */
export function createCompiler(runtime: Runtime): (work: KernelWork) => Promise<Compiled> {
  const programs = new Map<string, Promise<Compiled>>()
  return ({ program, programKey }) => {
    let known = programs.get(programKey)
    if (known === undefined) {
      const used = usedInputs(program)
      const stored = program.outputs.flatMap((output) => (output.kind === 'store' ? [dtypeBytes(output.dtype)] : []))
      const read = used.map((slot) => dtypeBytes(program.inputs[slot]!))
      known = runtime.compile(program).then((kernel) => ({
        kernel,
        uses: program.inputs.map((_, slot) => used.includes(slot)),
        stored,
        elementBytes: [...read, ...stored].reduce((sum, bytes) => sum + bytes, 0),
      }))
      programs.set(programKey, known)
    }
    return known
  }
}
