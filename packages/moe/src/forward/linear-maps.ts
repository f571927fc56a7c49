import { type Dtype, dtypeBytes } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { SourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import type { ProductKernel, Runtime } from '@mk/tensor/runtime'

/** Applies matrices that lie in files to rows in memory, some of a matrix's rows at a time. */
export interface LinearMaps {
  /** A buffer of float32, which products read and write without a copy as far as the runtime has room. */
  allocate(elementCount: number): Float32Array
  /** Computes into[rows × out] = x[rows × in] · Wᵀ + b, W being [out × in]. */
  apply(call: LinearCall): Promise<void>
  /** Reads a whole vector, widened to float32. */
  vector(source: TensorSource): Float32Array
}

interface LinearCall {
  readonly x: Float32Array
  readonly rows: number
  readonly weight: TensorSource
  readonly bias?: TensorSource | undefined
  readonly into: Float32Array
}

/** Of a matrix, at a time. */
const panelBytes = 2 ** 24
/** What buffers take of a runtime's own memory, which is bounded; of long prompts, products copy the others part by part. */
const runtimeBytes = 2 ** 27

/** Creates what multiplies with matrices, on a runtime and with the reader of their sources. */
export function createLinearMaps(
  runtime: Pick<Runtime, 'allocate' | 'compileProduct'>,
  reader: SourceReader,
): LinearMaps {
  const kernels = new Map<Dtype, Promise<ProductKernel>>()
  const panel = runtime.allocate(panelBytes)
  let allocatedBytes = 0
  const kernelFor = (dtype: Dtype): Promise<ProductKernel> => {
    const product = {
      left: { dtype: 'F32', transposed: false },
      right: { dtype, transposed: true },
      result: 'F32',
    } as const
    const known = kernels.get(dtype) ?? runtime.compileProduct(product)
    kernels.set(dtype, known)
    return known
  }
  const vector = (source: TensorSource): Float32Array => {
    const count = source.shape.reduce((product, size) => product * size, 1)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    reader.read(source, 0, count, bytes)
    const values = new Float32Array(count)
    decode(source.dtype, bytes, 0, values)
    return values
  }
  return {
    vector,
    allocate(elementCount) {
      allocatedBytes += elementCount * 4
      if (allocatedBytes > runtimeBytes) return new Float32Array(elementCount)
      const { buffer, byteOffset } = runtime.allocate(elementCount * 4)
      return new Float32Array(buffer, byteOffset, elementCount)
    },
    async apply({ x, rows, weight, bias, into }) {
      const [columns, depth] = weight.shape as [number, number]
      const kernel = await kernelFor(weight.dtype)
      const rowBytes = depth * dtypeBytes(weight.dtype)
      const panelRows = Math.floor(panelBytes / rowBytes)
      for (let first = 0; first < columns; first += panelRows) {
        const count = Math.min(panelRows, columns - first)
        const right = panel.subarray(0, count * rowBytes)
        reader.read(weight, first * depth, count * depth, right)
        await kernel.run({
          rows,
          columns: count,
          depth,
          left: bytesOf(x, rows * depth),
          right,
          // From the panel's first column on; rows of the result are as far apart as it has columns.
          into: bytesOf(into.subarray(first), (rows - 1) * columns + count),
          intoStride: columns,
        })
      }
      if (bias === undefined) return
      const values = vector(bias)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) into[row * columns + column]! += values[column]!
    },
  }
}

const bytesOf = ({ buffer, byteOffset }: Float32Array, elementCount: number): Uint8Array =>
  new Uint8Array(buffer, byteOffset, elementCount * 4)
