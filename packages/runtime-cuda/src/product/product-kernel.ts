import { decode, encode } from '@mk/tensor'
import { type Factor, type Product, type ProductCall, type ProductKernel, storedMatrices } from '@mk/tensor/runtime'
import type { Scratch } from '../call/scratch.ts'
import { OPSET } from '../graph/graph.ts'
import { elementTypes, encodeModel } from '../onnx/model.ts'
import type { OnnxRuntime, OnnxSession } from '../onnx-runtime.ts'

/**
 * Most rows, columns and terms that are multiplied at once. The order of the terms within them is the library's.
 */
const LARGEST_SIDE = 4096
/** What an element of a block takes: of both factors in float32 and double, and of the result twice. */
const BYTES_PER_ELEMENT = 40

export interface ProductParts {
  readonly openSession: () => Promise<OnnxSession>
  readonly library: OnnxRuntime
  readonly scratch: Scratch
  readonly memoryBytes: number
}

/**
 * Encodes the graph of a product of float32 matrices as they are stored. It multiplies in double: in float32 ONNX Runtime's CUDA
 * provider lets cuBLAS round the factors to the 11 bits of TF32, which onnxruntime-node has no option against.
 */
export const productModel = ({ left, right }: Product): Uint8Array =>
  encodeModel({
    opset: OPSET,
    inputs: [
      { name: 'left', type: 'float32', shape: left.transposed ? ['depth', 'rows'] : ['rows', 'depth'] },
      { name: 'right', type: 'float32', shape: right.transposed ? ['columns', 'depth'] : ['depth', 'columns'] },
    ],
    outputs: [{ name: 'result', type: 'float64', shape: ['rows', 'columns'] }],
    constants: [],
    nodes: [
      ...(['left', 'right'] as const).map((name) => ({
        operator: 'Cast',
        inputs: [name],
        outputs: [`wide ${name}`],
        attributes: { to: { int: elementTypes.float64 } },
      })),
      {
        operator: 'Gemm',
        inputs: ['wide left', 'wide right'],
        outputs: ['result'],
        attributes: { transA: { int: left.transposed ? 1 : 0 }, transB: { int: right.transposed ? 1 : 0 } },
      },
    ],
  })

/** Makes the kernel of a product: blocks of both factors become float32 here, and are multiplied by the library. */
export function createProductKernel(
  product: Product,
  { openSession, library, scratch, memoryBytes }: ProductParts,
): ProductKernel {
  const { left, right, result } = product
  const { Tensor } = library
  const side = Math.max(1, Math.min(LARGEST_SIDE, Math.floor(Math.sqrt(memoryBytes / BYTES_PER_ELEMENT))))
  return {
    async run(call) {
      const { rows, columns, depth, add = false } = call
      const session = await openSession()
      const matrices = storedMatrices(product, call)
      const factor = (name: 'left' | 'right', { dtype, transposed }: Factor, lines: Span, terms: Span) => {
        const linesFirst = (name === 'left') !== transposed
        const [down, across] = linesFirst ? [lines, terms] : [terms, lines]
        const values = scratch.take(name, Float32Array, down.count * across.count)
        const { stride } = matrices[name]
        for (let row = 0; row < down.count; row++) {
          const target = values.subarray(row * across.count, (row + 1) * across.count)
          decode(dtype, call[name], (down.start + row) * stride + across.start, target)
        }
        return new Tensor('float32', values, [down.count, across.count])
      }
      for (const rowSpan of spans(rows, side)) {
        for (const columnSpan of spans(columns, side)) {
          const sums = scratch.take('sums', Float64Array, rowSpan.count * columnSpan.count)
          const place = viewResult(call, matrices.into.stride, result, rowSpan, columnSpan)
          if (add) place.load(sums)
          else sums.fill(0)
          for (const terms of spans(depth, side)) {
            const feeds = {
              left: factor('left', left, rowSpan, terms),
              right: factor('right', right, columnSpan, terms),
            }
            const part = (await session.run(feeds, { result: null }))['result']!.data as Float64Array
            for (let i = 0; i < part.length; i++) sums[i]! += part[i]!
          }
          place.store(sums)
        }
      }
    },
  }
}

interface Span {
  readonly start: number
  readonly count: number
}

const spans = (length: number, most: number): Span[] =>
  Array.from({ length: Math.ceil(length / most) }, (_, index) => ({
    start: index * most,
    count: Math.min(most, length - index * most),
  }))

/** Reads and writes a block of the result, row by row. */
function viewResult(call: ProductCall, stride: number, dtype: Product['result'], rows: Span, columns: Span) {
  const { into } = call
  const rowStart = (row: number): number => (rows.start + row) * stride + columns.start
  const each = (sums: Float64Array, visit: (values: Float64Array, start: number) => void): void => {
    for (let row = 0; row < rows.count; row++)
      visit(sums.subarray(row * columns.count, (row + 1) * columns.count), rowStart(row))
  }
  const bytesOf = (values: Float64Array): Uint8Array =>
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return {
    load: (sums: Float64Array): void =>
      each(sums, (values, start) => bytesOf(values).set(into.subarray(8 * start, 8 * (start + values.length)))),
    store: (sums: Float64Array): void =>
      each(sums, (values, start) => {
        if (dtype === 'F64') into.set(bytesOf(values), 8 * start)
        else encode('F32', Float32Array.from(values), into, start)
      }),
  }
}
