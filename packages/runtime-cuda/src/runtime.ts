import { TensorError } from '@mk/tensor'
import { createRuntimeShell, type Runtime } from '@mk/tensor/runtime'
import { createScratch } from './call/scratch.ts'
import { buildGraph } from './graph/build-graph.ts'
import { createKernel } from './kernel.ts'
import { type LoadOnnxRuntime, loadOnnxRuntime, type OnnxSession } from './onnx-runtime.ts'
import { openLibrary, type Provider } from './open-library.ts'
import { createSessionPool } from './session-pool.ts'
import { createProductKernel, productModel } from './product/product-kernel.ts'

/** Merges have a few programs at a time. */
const MOST_SESSIONS = 8

/** How much memory a call may take. */
export interface OnnxRuntimeOptions {
  /** What a call may take for its inputs, results and all between them; longer calls are cut. 1 GiB if absent, 512 MiB on a GPU. */
  readonly memoryBytes?: number
}

/** Which GPU is used, and how much it gets at a time. */
export interface CudaRuntimeOptions extends OnnxRuntimeOptions {
  /** The number of the GPU; 0 if absent. */
  readonly deviceId?: number
  /** `Runtime.preferredElements`; 2^22 if absent: a call costs about as much as the transfer of some hundred thousand elements. */
  readonly preferredElements?: number
}

/**
 * Opens a runtime whose kernels are ONNX graphs on the CUDA provider of onnxruntime-node.
 * @throws TensorError 'runtime-unavailable' if onnxruntime-node, its CUDA provider or a GPU is missing, or 'runtime-option'
 */
export function createCudaRuntime(options: CudaRuntimeOptions = {}): Promise<Runtime> {
  const { deviceId = 0, memoryBytes = 2 ** 29, preferredElements = 2 ** 22 } = options
  return createOnnxRuntime({ name: 'cuda', deviceId }, { memoryBytes, preferredElements })
}

/**
 * Opens a runtime with the graphs of the CUDA runtime on the CPU provider: for testing them, and for processors without WebAssembly SIMD.
 * @throws TensorError 'runtime-unavailable' if onnxruntime-node is missing, or 'runtime-option'
 */
export function createOnnxCpuRuntime(options: OnnxRuntimeOptions = {}): Promise<Runtime> {
  return createOnnxRuntime({ name: 'cpu' }, options)
}

interface Settings extends OnnxRuntimeOptions {
  readonly preferredElements?: number
}

/**
 * Opens a runtime on a provider.
 * @param load how onnxruntime-node is imported
 */
export async function createOnnxRuntime(
  provider: Provider,
  { memoryBytes = 2 ** 30, preferredElements }: Settings,
  load: LoadOnnxRuntime = loadOnnxRuntime,
): Promise<Runtime> {
  for (const [option, value] of Object.entries({ memoryBytes, preferredElements })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw new TensorError({ code: 'runtime-option', option, value, expected: 'a whole number, 1 or more' })
  }
  const name = provider.name === 'cpu' ? 'onnx-cpu' : provider.name
  const { library, createSession } = await openLibrary(provider, load)
  const scratch = createScratch()
  const sessions = createSessionPool(createSession, MOST_SESSIONS)
  /** Opens a session once, to see that there is one; what is returned opens it again where it was closed in between. */
  const prepare = async (model: Uint8Array, what: string): Promise<() => Promise<OnnxSession>> => {
    const open = () => sessions.open(model)
    await open().catch((cause: unknown) => {
      throw new TensorError(
        {
          code: 'unsupported-program',
          runtime: name,
          what: `${what} that ONNX Runtime cannot prepare (${String(cause)})`,
        },
        { cause },
      )
    })
    return open
  }
  return createRuntimeShell({
    name,
    ...(preferredElements !== undefined && { preferredElements }),
    // They share `scratch`.
    inTurns: true,
    async compile(program) {
      const graph = buildGraph(program)
      const openSession = await prepare(graph.model, 'a program')
      return createKernel({ program, graph, openSession, library, scratch, memoryBytes })
    },
    async compileProduct(product) {
      return createProductKernel(product, {
        openSession: await prepare(productModel(product), 'a matrix product'),
        library,
        scratch,
        memoryBytes,
      })
    },
    close: () => sessions.close(),
  })
}
