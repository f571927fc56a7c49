import { TensorError } from '@mk/tensor'
import { OPSET } from './graph/graph.ts'
import { encodeModel } from './onnx/model.ts'
import type { LoadOnnxRuntime, OnnxRuntime, OnnxSession } from './onnx-runtime.ts'

export type Provider = { readonly name: 'cpu' } | { readonly name: 'cuda'; readonly deviceId: number }

/** Makes a session of a model on one provider. */
export interface OpenLibrary {
  readonly library: OnnxRuntime
  createSession(model: Uint8Array): Promise<OnnxSession>
}

const CUDA_REMEDY =
  'on Linux x64 with an NVIDIA GPU, CUDA 12 and cuDNN 9, fetch it with `npm run cuda` in a clone of mk, elsewhere with `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`'

/**
 * Loads onnxruntime-node, and runs a sum on the provider to see that it works: it is never replaced by another one.
 * @throws TensorError 'runtime-unavailable'
 */
export async function openLibrary(provider: Provider, load: LoadOnnxRuntime): Promise<OpenLibrary> {
  const runtime = provider.name === 'cpu' ? 'onnx-cpu' : provider.name
  const library = await loadLibrary(runtime, load)
  // What it would print is in the errors that it throws.
  library.env.logLevel = 'fatal'
  const createSession = (model: Uint8Array, extra?: object) =>
    library.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: 'basic',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 4,
      ...extra,
    })
  try {
    const session = await createSession(
      probe(),
      provider.name === 'cuda' ? { extra: { session: { disable_cpu_ep_fallback: '1' } } } : {},
    )
    const ones = new library.Tensor('float32', Float32Array.of(1, 2), [1, 2])
    await session.run({ x: ones }, { y: null })
    await session.release()
  } catch (cause) {
    const reason = (cause as Error).message.replaceAll(/\s+/g, ' ').trim()
    const missing = `onnxruntime-node has no working ${provider.name} provider (${reason})`
    throw new TensorError(
      {
        code: 'runtime-unavailable',
        runtime,
        missing,
        remedy: provider.name === 'cuda' ? CUDA_REMEDY : 'reinstall onnxruntime-node',
      },
      { cause },
    )
  }
  return { library, createSession }
}

async function loadLibrary(runtime: string, load: LoadOnnxRuntime): Promise<OnnxRuntime> {
  try {
    const module = (await load()) as OnnxRuntime & { readonly default?: OnnxRuntime }
    return module.default ?? module
  } catch (cause) {
    throw new TensorError(
      {
        code: 'runtime-unavailable',
        runtime,
        missing: 'the npm package onnxruntime-node cannot be loaded',
        remedy: 'install it with `npm install onnxruntime-node`, in a clone of mk with `npm run cuda`',
      },
      { cause },
    )
  }
}

/** One node, of an operator that has not changed for long: newer ones might run on the CPU where the provider has not caught up. */
function probe(): Uint8Array {
  const matrix = { type: 'float32', shape: [1, 2] } as const
  return encodeModel({
    opset: OPSET,
    inputs: [{ name: 'x', ...matrix }],
    outputs: [{ name: 'y', ...matrix }],
    constants: [],
    nodes: [{ operator: 'Add', inputs: ['x', 'x'], outputs: ['y'], attributes: {} }],
  })
}
