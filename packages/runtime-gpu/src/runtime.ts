import { TensorError } from '@mk/tensor'
import { createRuntimeShell, isRowOperation, type Program, type Runtime } from '@mk/tensor/runtime'
import type { GpuKernel } from './gpu-js.ts'
import { createKernelRunner } from './kernel.ts'
import { type GpuMode, type OpenGpu, openGpu } from './open-gpu.ts'
import { type KernelPlan, planKernel } from './plan-kernel.ts'
import { encodeProgram } from './webgpu/encode-program.ts'

/** Which back end is used. */
export interface GpuRuntimeOptions {
  /** The back end; if absent, the first of `gpuModes` that works here. */
  readonly mode?: GpuMode
}

/**
 * Opens a runtime whose kernels run on WebGPU or are compiled by gpu.js: the arithmetic of elements runs on its device; dtypes,
 * reductions, vectors and random numbers are the host's. Calls run one after the other.
 * @throws TensorError 'runtime-unavailable' if what the mode needs is not installed, or it doesn't work here
 */
export async function createGpuRuntime({ mode }: GpuRuntimeOptions = {}): Promise<Runtime> {
  return createRuntimeOn(await openGpu(mode))
}

/** Makes a runtime of an open back end, which it owns. */
export function createRuntimeOn(open: OpenGpu): Runtime {
  const { gpu, mode } = open
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
      const plan = planKernel(program)
      const runner = createKernelRunner(program, plan, kernelsOf(open, program, plan), staging)
      try {
        await runner.build()
      } catch (cause) {
        throw unsupported(
          `a program that ${mode === 'webgpu' ? 'WebGPU' : 'gpu.js'} cannot compile (${String(cause)})`,
          cause,
        )
      }
      return runner
    },
    close: () => gpu.destroy(),
  })
}

/** Tells how a back end makes the kernel of a plan for a number of elements. */
function kernelsOf({ gpu, mode }: OpenGpu, program: Program, plan: KernelPlan): (size: number) => GpuKernel {
  const rowCount = plan.computed.length
  if (mode === 'webgpu') {
    const encoded = encodeProgram(program, plan)
    return (size) => gpu.createKernel(encoded, size, rowCount)
  }
  return (size) =>
    gpu.createKernel(plan.source(size), { output: rowCount === 1 ? [size] : [size, rowCount], precision: 'single' })
}
