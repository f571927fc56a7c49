import { TensorError } from '@mk/tensor'
import { createRuntimeShell, isRowOperation, type Runtime } from '@mk/tensor/runtime'
import { createKernelRunner } from './kernel.ts'
import { type GpuMode, type OpenGpu, openGpu } from './open-gpu.ts'
import { planKernel } from './plan-kernel.ts'

/** Which back end of gpu.js is used. */
export interface GpuRuntimeOptions {
  /** The back end of gpu.js; if absent, the first of `gpuModes` that works here. */
  readonly mode?: GpuMode
}

/**
 * Opens a runtime whose kernels are compiled by gpu.js: the arithmetic of elements runs on its device; dtypes, reductions, vectors
 * and random numbers are the host's. Calls run one after the other.
 * @throws TensorError 'runtime-unavailable' if gpu.js is not installed, or the mode doesn't work here
 */
export async function createGpuRuntime({ mode }: GpuRuntimeOptions = {}): Promise<Runtime> {
  return createRuntimeOn(await openGpu(mode))
}

/** Makes a runtime of an open back end, which it owns. */
export function createRuntimeOn({ gpu, mode }: OpenGpu): Runtime {
  const name = `gpu (${mode})`
  let staged = new Float32Array(0)
  const staging = (elementCount: number) =>
    staged.length < elementCount ? (staged = new Float32Array(elementCount)) : staged
  const unsupported = (what: string, cause?: unknown) =>
    new TensorError({ code: 'unsupported-program', runtime: name, what }, { cause })
  return createRuntimeShell({
    name,
    inTurns: true,
    async compile(program) {
      const ofRows = program.instructions.find(isRowOperation)
      if (ofRows !== undefined) throw unsupported(ofRows.op)
      const runner = createKernelRunner(program, planKernel(program), gpu, staging)
      try {
        await runner.build()
      } catch (cause) {
        throw unsupported(`a program that gpu.js cannot compile (${String(cause)})`, cause)
      }
      return runner
    },
    close: () => gpu.destroy(),
  })
}
