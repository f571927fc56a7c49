import { TensorError } from '@mk/tensor'
import { checkCall, checkProgram, type Kernel, type Program, programKey, type Runtime } from '@mk/tensor/runtime'
import { RuntimeGpuError } from './errors.ts'
import { createKernelRunner, type Host } from './kernel.ts'
import { type GpuMode, type OpenGpu, openGpu } from './open-gpu.ts'
import { planKernel } from './plan-kernel.ts'

export interface GpuRuntimeOptions {
  /** The back end of gpu.js; if absent, the first of `gpuModes` that works here. */
  readonly mode?: GpuMode
}

/**
 * A runtime whose kernels are compiled by gpu.js: the arithmetic of elements runs on its device; dtypes, reductions, vectors
 * and random numbers are the host's. Calls run one after the other.
 * @throws RuntimeGpuError 'runtime-unavailable' if gpu.js is not installed, or the mode doesn't work here
 */
export async function createGpuRuntime({ mode }: GpuRuntimeOptions = {}): Promise<Runtime> {
  return createRuntimeOn(await openGpu(mode))
}

export function createRuntimeOn({ gpu, mode }: OpenGpu): Runtime {
  const name = `gpu (${mode})`
  const kernels = new Map<string, Promise<Kernel>>()
  let staged = new Float32Array(0)
  const host: Host = {
    staging: (elementCount) => (staged.length < elementCount ? (staged = new Float32Array(elementCount)) : staged),
  }
  let previous: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const result = previous.then(action)
    previous = result.catch(() => {})
    return result
  }
  let open = true
  const checkOpen = (): void => {
    if (!open) throw new RuntimeGpuError({ code: 'closed' })
  }
  const build = async (program: Program): Promise<Kernel> => {
    checkProgram(program)
    const unsupported = (what: string, cause?: unknown) =>
      new TensorError({ code: 'unsupported', runtime: name, what }, { cause })
    if (program.instructions.some(({ op }) => op === 'rank')) throw unsupported('rank')
    const runner = createKernelRunner(program, planKernel(program), gpu, host)
    try {
      await inTurn(runner.build)
    } catch (cause) {
      throw unsupported(`a program that gpu.js cannot compile (${String(cause)})`, cause)
    }
    return {
      async run(call) {
        checkOpen()
        checkCall(program, call)
        return inTurn(() => runner.run(call))
      },
    }
  }
  return {
    name,
    allocate(byteLength) {
      checkOpen()
      return new Uint8Array(byteLength)
    },
    async compile(program) {
      checkOpen()
      const key = programKey(program)
      let kernel = kernels.get(key)
      if (kernel === undefined) kernels.set(key, (kernel = build(program)))
      return kernel
    },
    async close() {
      if (!open) return
      open = false
      kernels.clear()
      await inTurn(() => gpu.destroy())
    },
  }
}
