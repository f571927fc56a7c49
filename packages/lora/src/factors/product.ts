import { createMatrix, leadingColumns, type Matrix, multiply, qr, scaleColumns, svd, transpose } from '@mk/linalg'
import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import { countNonFinite } from './count-non-finite.ts'

/** A matrix of low rank as LoRA stores it, b·a: `b` [out, rank], `a` [rank, in]. */
export interface Product {
  readonly b: Matrix
  readonly a: Matrix
}

/** Singular values below this share of the largest are what float32 left of zero. */
export const NOISE = 1e-7

/** Joins products to one that is their sum, its rank the sum of their ranks: [b₁ b₂ …]·[a₁; a₂; …]. */
export function joinProducts(products: readonly Product[]): Product {
  if (products.length === 1) return products[0]!
  const [outer, inner] = [products[0]!.b.rows, products[0]!.a.columns]
  const rank = products.reduce((sum, { a }) => sum + a.rows, 0)
  const b = createMatrix(outer, rank)
  const a = createMatrix(rank, inner)
  let first = 0
  for (const { b: left, a: right } of products) {
    for (let row = 0; row < outer; row++)
      b.values.set(left.values.subarray(row * left.columns, (row + 1) * left.columns), row * rank + first)
    a.values.set(right.values, first * inner)
    first += right.rows
  }
  return { b, a }
}

/**
 * Finds the product of lower rank that is nearest to one, by decomposing its factors (b = Q·R, aᵀ = P·T, and R·Tᵀ): nothing as large as
 * the product itself is made. √σ goes to both factors.
 * @returns at most `rank` ranks: those of singular values that are more than noise
 */
export function compressProduct({ b, a }: Product, rank: number): Product {
  const left = qr(b)
  const right = qr(transpose(a))
  const { u, values, v } = svd(multiply(left.r, transpose(right.r)))
  const kept = Math.min(rank, countLarge(values))
  const roots = values.map(Math.sqrt)
  return {
    b: scaleColumns(multiply(left.q, leadingColumns(u, kept)), roots),
    a: transpose(scaleColumns(multiply(right.q, leadingColumns(v, kept)), roots)),
  }
}

/**
 * Computes the squared Frobenius norm of b·a from the Gram matrices of the factors: the sum of the elements of bᵀb ∘ aaᵀ. NaN or infinite
 * where a factor is.
 */
export function squaredNorm({ b, a }: Product): number {
  const [left, right] = [multiply(transpose(b), b), multiply(a, transpose(a))]
  let sum = 0
  for (let i = 0; i < left.values.length; i++) sum += left.values[i]! * right.values[i]!
  // Products that cancel leave a little on either side of zero.
  return sum < 0 ? 0 : sum
}

/** Products in a basis that they share. */
export interface AlignedProducts {
  /** U·Σ, [out, k]. */
  readonly basis: Matrix
  /** Each product's part Vᵢᵀ, [k, in]: basis · part is the product. */
  readonly parts: readonly Matrix[]
}

/**
 * Aligns products by the singular vectors of all of them side by side, [Δ₁ … Δₙ] = U·Σ·[V₁ᵀ … Vₙᵀ] (KnOTS, Stoica et al. 2024,
 * arXiv:2410.19735), from their factors alone.
 */
export function alignProducts(products: readonly Product[]): AlignedProducts {
  const left = qr(joinColumns(products.map(({ b }) => b)))
  let first = 0
  const rights = products.map(({ a }) => {
    const { q, r } = qr(transpose(a))
    const rows = columnsOf(left.r, first, a.rows)
    first += a.rows
    return { q, core: multiply(rows, transpose(r)) }
  })
  const { u, values, v } = svd(joinColumns(rights.map(({ core }) => core)))
  const kept = countLarge(values)
  let row = 0
  return {
    basis: scaleColumns(multiply(left.q, leadingColumns(u, kept)), values),
    parts: rights.map(({ q, core }) => {
      const own = createMatrix(core.columns, kept)
      for (let i = 0; i < core.columns; i++)
        own.values.set(v.values.subarray((row + i) * v.columns, (row + i) * v.columns + kept), i * kept)
      row += core.columns
      return transpose(multiply(q, own))
    }),
  }
}

/** Elements of both factors as they are stored. */
export interface StoredProduct {
  /** [rank, in] */
  readonly a: Uint8Array
  /** [out, rank] */
  readonly b: Uint8Array
  /** How many elements of each are past the largest finite number of the dtype. */
  readonly overflow: { readonly a: number; readonly b: number }
}

/** Stores both factors, which are finite, filled up with zeros to `rank`. */
export function storeProduct({ b, a }: Product, rank: number, dtype: Dtype): StoredProduct {
  const own = a.rows
  const right = new Float32Array(rank * a.columns)
  right.set(a.values)
  const left = new Float32Array(b.rows * rank)
  for (let row = 0; row < b.rows; row++) left.set(b.values.subarray(row * own, (row + 1) * own), row * rank)
  const stored = (elements: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(elements.length * dtypeBytes(dtype))
    encode(dtype, elements, bytes, 0)
    return bytes
  }
  const [storedA, storedB] = [stored(right), stored(left)]
  return {
    a: storedA,
    b: storedB,
    overflow: { a: countNonFinite(dtype, storedA), b: countNonFinite(dtype, storedB) },
  }
}

/** Tells whether all elements are numbers that a decomposition can take. */
export const isFiniteProduct = ({ a, b }: Product): boolean => areFinite(a.values) && areFinite(b.values)

function areFinite(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return false
  return true
}

function countLarge(values: Float64Array): number {
  const small = values.findIndex((value) => !(value > NOISE * values[0]!))
  return small < 0 ? values.length : small
}

function joinColumns(matrices: readonly Matrix[]): Matrix {
  const { rows } = matrices[0]!
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0)
  const joined = createMatrix(rows, columns)
  let first = 0
  for (const { columns: count, values } of matrices) {
    for (let row = 0; row < rows; row++)
      joined.values.set(values.subarray(row * count, (row + 1) * count), row * columns + first)
    first += count
  }
  return joined
}

function columnsOf({ rows, columns, values }: Matrix, first: number, count: number): Matrix {
  const part = createMatrix(rows, count)
  for (let row = 0; row < rows; row++)
    part.values.set(values.subarray(row * columns + first, row * columns + first + count), row * count)
  return part
}
