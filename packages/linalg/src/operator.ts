import type { Dtype } from '@mk/safetensors'
import { dtypeBytes } from '@mk/safetensors'
import { decode } from '@mk/tensor'
import { PRODUCT_DEPTH, type ProductKernel, type Runtime } from '@mk/tensor/runtime'
import { LinalgError } from './errors.ts'
import { createMatrix, type Matrix, multiply, transpose } from './matrix.ts'

/** A matrix as what it does: all that an iterative decomposition needs of one that is too large to be at hand. */
export interface Operator {
  readonly rows: number
  readonly columns: number
  /** A·X for a matrix of `columns` rows. */
  multiply(right: Matrix): Promise<Matrix>
  /** Aᵀ·X for a matrix of `rows` rows. */
  multiplyTransposed(right: Matrix): Promise<Matrix>
  /** The sum of all squares. @throws LinalgError 'not-finite-norm' */
  squaredNorm(): Promise<number>
}

/** Makes an operator of a matrix in memory; its products are float64. */
export function matrixOperator(matrix: Matrix): Operator {
  const turned = transpose(matrix)
  return {
    rows: matrix.rows,
    columns: matrix.columns,
    multiply: async (right) => multiply(matrix, right),
    multiplyTransposed: async (right) => multiply(turned, right),
    squaredNorm: async () =>
      finiteNorm(
        matrix.values.reduce((sum, value) => sum + value * value, 0),
        matrix,
      ),
  }
}

/** A stored matrix that is read block by block of its rows. */
export interface StreamedMatrix {
  readonly rows: number
  readonly columns: number
  readonly dtype: Dtype
  /** Gives the stored elements of consecutive rows. They hold until the next call, whose buffer may be the same one. */
  readRows(start: number, count: number): Uint8Array | Promise<Uint8Array>
  /** Rows of a block, rounded up to a multiple of 256; 512 if absent. It doesn't change the results. */
  readonly blockRows?: number
}

/**
 * Makes an operator of a matrix that streams through the products of a runtime in blocks of rows: elements are float32, sums float64
 * (`Product` of @mk/tensor/runtime). The blocks don't change the bytes of a result.
 * @throws TensorError 'unsupported-program' if the runtime has no products
 */
export async function streamedOperator(
  runtime: Pick<Runtime, 'compileProduct'>,
  matrix: StreamedMatrix,
): Promise<Operator> {
  const { rows, columns, dtype } = matrix
  const blockRows = Math.ceil((matrix.blockRows ?? 512) / PRODUCT_DEPTH) * PRODUCT_DEPTH
  const right = { dtype: 'F64', transposed: false } as const
  const compile = (transposed: boolean): Promise<ProductKernel> =>
    runtime.compileProduct({ left: { dtype, transposed }, right, result: 'F64' })
  const [plain, turned] = [await compile(false), await compile(true)]
  const eachBlock = async (visit: (bytes: Uint8Array, start: number, count: number) => void | Promise<void>) => {
    for (let start = 0; start < rows; start += blockRows) {
      const count = Math.min(blockRows, rows - start)
      await visit(await matrix.readRows(start, count), start, count)
    }
  }
  return {
    rows,
    columns,
    async multiply(factor) {
      const result = createMatrix(rows, factor.columns)
      checkRows(factor, columns)
      await eachBlock((left, start, count) =>
        plain.run({
          rows: count,
          columns: factor.columns,
          depth: columns,
          left,
          right: bytesOf(factor.values),
          into: bytesOf(result.values.subarray(start * factor.columns)),
        }),
      )
      return result
    },
    async multiplyTransposed(factor) {
      const result = createMatrix(columns, factor.columns)
      checkRows(factor, rows)
      await eachBlock((left, start, count) =>
        turned.run({
          rows: columns,
          columns: factor.columns,
          depth: count,
          left,
          right: bytesOf(factor.values.subarray(start * factor.columns)),
          into: bytesOf(result.values),
          add: true,
        }),
      )
      return result
    },
    async squaredNorm() {
      let sum = 0
      let values = new Float32Array(0)
      await eachBlock((bytes) => {
        const elements = Math.min(bytes.byteLength / dtypeBytes(dtype), blockRows * columns)
        if (values.length !== elements) values = new Float32Array(elements)
        decode(dtype, bytes, 0, values)
        sum += sumOfSquares(values)
      })
      return finiteNorm(sum, matrix)
    },
  }
}

function sumOfSquares(values: Float32Array): number {
  let [first, second] = [0, 0]
  const even = values.length - (values.length % 2)
  for (let i = 0; i < even; i += 2) {
    first += values[i]! * values[i]!
    second += values[i + 1]! * values[i + 1]!
  }
  return first + second + (even < values.length ? values[even]! ** 2 : 0)
}

function finiteNorm(sum: number, { rows, columns }: { readonly rows: number; readonly columns: number }): number {
  if (Number.isFinite(sum)) return sum
  throw new LinalgError({ code: 'not-finite-norm', rows, columns })
}

function checkRows({ rows, columns }: Matrix, expected: number): void {
  if (rows !== expected)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the right factor',
      got: `${rows} × ${columns}`,
      expected: `${expected} rows`,
    })
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
