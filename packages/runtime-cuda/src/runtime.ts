import { TensorError } from '@mk/tensor'
import { type Kernel, type Program, programKey, type Runtime } from '@mk/tensor/runtime'
import { createScratch } from './call/scratch.ts'
import { RuntimeCudaError } from './errors.ts'
import { buildGraph } from './graph/build-graph.ts'
import { createKernel } from './kernel.ts'
import { type LoadOnnxRuntime, loadOnnxRuntime, type OnnxSession } from './onnx-runtime.ts'
import { openLibrary, type Provider } from './open-library.ts'

export interface OnnxRuntimeOptions {
  /** What a call may take for its inputs, results and all between them; longer calls are cut. 1 GiB if absent. */
  readonly memoryBytes?: number
}

export interface CudaRuntimeOptions extends OnnxRuntimeOptions {
  /** The number of the GPU; 0 if absent. */
  readonly deviceId?: number
  /** `Runtime.preferredElements`; 2^22 if absent: a call costs about as much as the transfer of some hundred thousand elements. */
  readonly preferredElements?: number
}

/**
 * A runtime whose kernels are ONNX graphs on the CUDA provider of onnxruntime-node.
 * @throws RuntimeCudaError 'runtime-unavailable' if onnxruntime-node, its CUDA provider or a GPU is missing, or 'memory-size'
 */
export function createCudaRuntime(options: CudaRuntimeOptions = {}): Promise<Runtime> {
  const { deviceId = 0, preferredElements = 2 ** 22 } = options
  return createOnnxRuntime({ name: 'cuda', deviceId }, { ...options, preferredElements })
}

/**
 * A runtime with the graphs of the CUDA runtime on the CPU provider: for testing them, and for processors without WebAssembly SIMD.
 * @throws RuntimeCudaError 'runtime-unavailable' if onnxruntime-node is missing, or 'memory-size'
 */
export function createOnnxCpuRuntime(options: OnnxRuntimeOptions = {}): Promise<Runtime> {
  return createOnnxRuntime({ name: 'cpu' }, options)
}

interface Settings extends OnnxRuntimeOptions {
  readonly preferredElements?: number
}

export async function createOnnxRuntime(
  provider: Provider,
  { memoryBytes = 2 ** 30, preferredElements }: Settings,
  load: LoadOnnxRuntime = loadOnnxRuntime,
): Promise<Runtime> {
  for (const [option, value] of Object.entries({ memoryBytes, preferredElements })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new RuntimeCudaError({ code: 'memory-size', option, value })
  }
  const name = provider.name === 'cpu' ? 'onnx-cpu' : provider.name
  const { library, createSession } = await openLibrary(provider, load)
  const scratch = createScratch()
  const kernels = new Map<string, Promise<Kernel>>()
  const sessions: OnnxSession[] = []
  let open = true
  const checkOpen = (): void => {
    if (!open) throw new RuntimeCudaError({ code: 'closed' })
  }
  let previous: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const result = previous.then(action)
    previous = result.catch(() => {})
    return result
  }
  const build = async (program: Program): Promise<Kernel> => {
    const graph = buildGraph(program)
    const session = await createSession(graph.model).catch((cause: unknown) => {
      throw new TensorError(
        { code: 'unsupported', runtime: name, what: `a program that ONNX Runtime cannot prepare (${String(cause)})` },
        { cause },
      )
    })
    sessions.push(session)
    const kernel = createKernel({ program, graph, session, library, scratch, memoryBytes })
    return {
      async run(call) {
        checkOpen()
        return inTurn(async () => kernel.run(call))
      },
    }
  }
  return {
    name,
    ...(preferredElements !== undefined && { preferredElements }),
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
      await inTurn(() => Promise.all(sessions.map((session) => session.release())))
    },
  }
}
