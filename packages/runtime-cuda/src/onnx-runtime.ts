/** The part of onnxruntime-node that is used. */
export interface OnnxRuntime {
  readonly env: { logLevel?: string }
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>
  }
  readonly Tensor: new (type: TensorType, data: TensorData, dims: readonly number[]) => OnnxTensor
}

export interface OnnxSession {
  run(feeds: Tensors, fetches: Readonly<Record<string, OnnxTensor | null>>): Promise<Tensors>
  release(): Promise<void>
}

export interface OnnxTensor {
  readonly data: TensorData
  readonly dims: readonly number[]
}

export type Tensors = Readonly<Record<string, OnnxTensor>>
type TensorType = 'float32' | 'float64' | 'uint16' | 'int64' | 'bool'
type TensorData = Float32Array | Float64Array | Uint16Array | BigInt64Array | Uint8Array

export type LoadOnnxRuntime = () => Promise<unknown>

/** Imports onnxruntime-node. It is an optional dependency, of hundreds of megabytes: only a runtime that is asked for loads it. */
export const loadOnnxRuntime: LoadOnnxRuntime = () => import('onnxruntime-node')
