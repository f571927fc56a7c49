import type { Runtime } from '@mk/tensor/runtime'
import { solvePositive } from './cholesky.ts'
import { effectiveRank } from './effective-rank.ts'
import { LinalgError } from './errors.ts'
import { createMatrix, type Matrix } from './matrix.ts'
import { type PolarFactor, polarFactor, type PolarOptions } from './polar-factor.ts'
import { type Svd, svd } from './svd.ts'
import { type SymmetricEigen, symmetricEigen } from './symmetric-eigen.ts'

/** Something to be computed of matrices at hand, as plain data that crosses to a worker. */
export type LinalgJob =
  | { readonly kind: 'symmetricEigen'; readonly matrix: Matrix }
  | { readonly kind: 'svd'; readonly matrix: Matrix }
  /** Of a matrix, by its Gram matrix; gives the rank, and 1 where it is an estimate. */
  | { readonly kind: 'effectiveRank'; readonly matrix: Matrix }
  | { readonly kind: 'solvePositive'; readonly matrix: Matrix; readonly right: Matrix }
  | { readonly kind: 'polarFactor'; readonly matrix: Matrix; readonly options: PolarOptions }
  | ({ readonly kind: 'multiply'; readonly left: Matrix; readonly right: Matrix } & MultiplyOptions)

/** Which factors of a product are to be taken the other way round. */
export interface MultiplyOptions {
  readonly leftTransposed?: boolean
  readonly rightTransposed?: boolean
}

/** What may be computed of matrices at hand, wherever there is a thread for it. */
export interface Linalg {
  symmetricEigen(matrix: Matrix): Promise<SymmetricEigen>
  svd(matrix: Matrix): Promise<Svd>
  /** A·X = B for a symmetric positive definite A. */
  solvePositive(matrix: Matrix, right: Matrix): Promise<Matrix>
  /** U·Vᵀ of a matrix U·Σ·Vᵀ. */
  polarFactor(
    matrix: Matrix,
    options?: PolarOptions,
  ): Promise<{ readonly factor: Matrix } & Pick<PolarFactor, 'nuclearNorm'>>
  /** A product by the runtime: factors of float32, sums of float64 (`Product` of @mk/tensor/runtime). For float64 throughout see `multiply`. */
  multiply(left: Matrix, right: Matrix, options?: MultiplyOptions): Promise<Matrix>
}

/**
 * Carries out a job.
 * @returns the elements of what comes out, in the order of its fields
 * @throws LinalgError; TensorError 'unsupported-program' if the runtime has no products
 */
export async function carryOut(job: LinalgJob, runtime: Pick<Runtime, 'compileProduct'>): Promise<Float64Array[]> {
  switch (job.kind) {
    case 'symmetricEigen': {
      const { values, vectors } = symmetricEigen(job.matrix)
      return [values, vectors.values]
    }
    case 'svd': {
      const { u, values, v } = svd(job.matrix)
      return [u.values, values, v.values]
    }
    case 'effectiveRank': {
      const { rank, isEstimate } = effectiveRank(job.matrix)
      return [Float64Array.of(rank, isEstimate ? 1 : 0)]
    }
    case 'solvePositive':
      return [solvePositive(job.matrix, job.right).values]
    case 'polarFactor': {
      const { rows, columns, values } = job.matrix
      const single = { rows, columns, values: Float32Array.from(values) }
      const { factor, nuclearNorm } = await polarFactor(runtime, single, job.options)
      return [Float64Array.from(factor.values), Float64Array.of(nuclearNorm)]
    }
    case 'multiply':
      return [(await multiplyBy(runtime, job)).values]
    default:
      return job satisfies never
  }
}

/** Makes what asks for jobs and puts their results together. @param run carries one out, in this thread or another */
export function createLinalg(run: (job: LinalgJob) => Promise<readonly Float64Array[]>): Linalg {
  return {
    async symmetricEigen(matrix) {
      const [values, vectors] = await run({ kind: 'symmetricEigen', matrix })
      return { values: values!, vectors: createMatrix(matrix.rows, matrix.rows, vectors!) }
    },
    async svd(matrix) {
      const [u, values, v] = await run({ kind: 'svd', matrix })
      const size = values!.length
      return {
        u: createMatrix(matrix.rows, size, u!),
        values: values!,
        v: createMatrix(matrix.columns, size, v!),
      }
    },
    async solvePositive(matrix, right) {
      const [values] = await run({ kind: 'solvePositive', matrix, right })
      return createMatrix(right.rows, right.columns, values!)
    },
    async polarFactor(matrix, options = {}) {
      const [values, nuclearNorm] = await run({ kind: 'polarFactor', matrix, options })
      return { factor: createMatrix(matrix.rows, matrix.columns, values!), nuclearNorm: nuclearNorm![0]! }
    },
    async multiply(left, right, options = {}) {
      const [values] = await run({ kind: 'multiply', left, right, ...options })
      const { rows, columns } = productSizes({ left, right, ...options })
      return createMatrix(rows, columns, values!)
    },
  }
}

type Multiplied = Omit<Extract<LinalgJob, { readonly kind: 'multiply' }>, 'kind'>

function productSizes({ left, right, leftTransposed = false, rightTransposed = false }: Multiplied) {
  const [rows, depth] = leftTransposed ? [left.columns, left.rows] : [left.rows, left.columns]
  const [meeting, columns] = rightTransposed ? [right.columns, right.rows] : [right.rows, right.columns]
  if (meeting !== depth)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the right factor',
      got: `${right.rows} × ${right.columns}${rightTransposed ? ', transposed' : ''}`,
      expected: `${depth} ${rightTransposed ? 'columns' : 'rows'}`,
    })
  return { rows, columns, depth }
}

async function multiplyBy(runtime: Pick<Runtime, 'compileProduct'>, multiplied: Multiplied): Promise<Matrix> {
  const { left, right, leftTransposed = false, rightTransposed = false } = multiplied
  const { rows, columns, depth } = productSizes(multiplied)
  const kernel = await runtime.compileProduct({
    left: { dtype: 'F64', transposed: leftTransposed },
    right: { dtype: 'F64', transposed: rightTransposed },
    result: 'F64',
  })
  const result = createMatrix(rows, columns)
  await kernel.run({
    rows,
    columns,
    depth,
    left: bytesOf(left.values),
    right: bytesOf(right.values),
    into: bytesOf(result.values),
  })
  return result
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
