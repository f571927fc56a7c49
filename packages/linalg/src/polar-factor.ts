import type { Runtime } from '@mk/tensor/runtime'
import { LinalgError } from './errors.ts'

/** A matrix of float32, row-major, as long as rows × columns. */
export interface Float32Matrix {
  readonly rows: number
  readonly columns: number
  readonly values: Float32Array
}

/** How small singular values may be that still count as directions. */
export interface PolarOptions {
  /** Directions whose singular value is below this share of the largest one may be left shorter than 1: 1e-3 if absent. */
  readonly least?: number
}

/** The orthogonal part of a matrix A = U·Σ·Vᵀ, and the size of the rest. */
export interface PolarFactor {
  /** U·Vᵀ. */
  readonly factor: Float32Matrix
  /** The sum of the singular values: tr(Aᵀ·U·Vᵀ). */
  readonly nuclearNorm: number
  readonly iterations: number
}

/** Singular values that are at least this far count as 1. */
const SETTLED = 1 - 1e-6

/**
 * Finds the orthogonal polar factor U·Vᵀ of a matrix U·Σ·Vᵀ by Newton–Schulz iteration, x ← x·(3 − x²)/2 on the singular values, with
 * scaling while the smallest of them is known to be small (Chen & Chow 2014, A Stable Scaling of Newton-Schulz for Improving the Sign
 * Function Computation): matrix products alone, for sizes whose decomposition would take too long. A product with the Gram matrix
 * of the smaller side and one with the matrix per iteration, of which about 14 are made. Zero directions stay zero.
 * @throws LinalgError 'not-finite-norm', or TensorError 'unsupported-program' if the runtime has no products
 */
export async function polarFactor(
  runtime: Pick<Runtime, 'compileProduct'>,
  matrix: Float32Matrix,
  { least = 1e-3 }: PolarOptions = {},
): Promise<PolarFactor> {
  const { rows, columns, values } = matrix
  const squaredNorm = values.reduce((sum, value) => sum + value * value, 0)
  if (!Number.isFinite(squaredNorm)) throw new LinalgError({ code: 'not-finite-norm', rows, columns })
  if (squaredNorm === 0)
    return { factor: { rows, columns, values: new Float32Array(values.length) }, nuclearNorm: 0, iterations: 0 }

  const { gram, turn } = await compileSteps(runtime, rows, columns)
  const size = Math.min(rows, columns)
  // The largest eigenvalue of a Gram matrix is at most its norm, and at least the squared norm by the trace.
  const scale = 1 / Math.sqrt(squaredNorm)
  let current: Float32Array = values.map((value) => value * scale)
  const first = await gram(current)
  const norm = Math.sqrt(first.reduce((sum, value) => sum + value * value, 0))
  // Rounding must not carry a singular value past 1.
  const shrunk = 1 / Math.sqrt(norm * (1 + 1e-5))
  current = current.map((value) => value * shrunk)
  let lowest = Math.min(least * Math.sqrt(norm), 1)
  let iterations = 0
  for (; lowest < SETTLED; iterations++) {
    const ρ = Math.sqrt(3 / (1 + lowest + lowest * lowest))
    const products = await gram(current)
    if (isIdentity(products, size)) break
    const step = products.map((value) => (-(ρ ** 3) * value) / 2)
    for (let i = 0; i < size; i++) step[i * size + i]! += (3 * ρ) / 2
    current = await turn(current, step)
    lowest = Math.min(1, (ρ * lowest * (3 - (ρ * lowest) ** 2)) / 2)
  }
  let nuclearNorm = 0
  for (let i = 0; i < values.length; i++) nuclearNorm += values[i]! * current[i]!
  return { factor: { rows, columns, values: current }, nuclearNorm, iterations }
}

interface Steps {
  /** The Gram matrix of the smaller side. */
  gram(values: Float32Array): Promise<Float64Array>
  /** The product with a square matrix of the smaller side. */
  turn(values: Float32Array, step: Float64Array): Promise<Float32Array>
}

async function compileSteps(runtime: Pick<Runtime, 'compileProduct'>, rows: number, columns: number): Promise<Steps> {
  const byRows = rows < columns
  const size = Math.min(rows, columns)
  const plain = { dtype: 'F32', transposed: false } as const
  const turned = { dtype: 'F32', transposed: true } as const
  const square = { dtype: 'F64', transposed: false } as const
  const gram = await runtime.compileProduct(
    byRows ? { left: plain, right: turned, result: 'F64' } : { left: turned, right: plain, result: 'F64' },
  )
  const apply = await runtime.compileProduct(
    byRows ? { left: square, right: plain, result: 'F32' } : { left: plain, right: square, result: 'F32' },
  )
  return {
    async gram(values) {
      const result = new Float64Array(size * size)
      const [left, into] = [bytesOf(values), bytesOf(result)]
      await gram.run({ rows: size, columns: size, depth: Math.max(rows, columns), left, right: left, into })
      return result
    },
    async turn(values, step) {
      const result = new Float32Array(values.length)
      const [long, short] = [bytesOf(values), bytesOf(step)]
      const [left, right] = byRows ? [short, long] : [long, short]
      await apply.run({ rows, columns, depth: size, left, right, into: bytesOf(result) })
      return result
    },
  }
}

/** Whether a Gram matrix is as near to the identity as float32 allows. */
function isIdentity(gram: Float64Array, size: number): boolean {
  let squares = 0
  for (let i = 0; i < gram.length; i++) squares += (gram[i]! - (i % (size + 1) === 0 ? 1 : 0)) ** 2
  return Math.sqrt(squares / size) < 2e-6
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
