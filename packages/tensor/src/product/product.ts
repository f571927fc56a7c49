import type { Dtype } from '@mk/safetensors'

/**
 * So many consecutive terms of a sum are added in float32; their sums are added in float64. Part of what a product means: a sum
 * that is cut into several calls gives the same bytes where it is cut at multiples of this.
 */
export const PRODUCT_DEPTH = 256

/** How a factor is stored: row-major, little-endian. */
export interface Factor {
  readonly dtype: Dtype
  /** Whether the other way round: the left factor as depth × rows, the right one as columns × depth. */
  readonly transposed: boolean
}

/**
 * A matrix product as plain data: result[rows × columns] = left[rows × depth] · right[depth × columns]. Elements widen to
 * float32; each term is rounded to it and added, without fused multiply-add, to the sum of its block of PRODUCT_DEPTH terms, by
 * ascending index; the blocks' sums are added in float64, by ascending index; a result of F32 rounds once more.
 */
export interface Product {
  readonly left: Factor
  readonly right: Factor
  readonly result: 'F32' | 'F64'
}

/** A matrix product that a runtime has compiled for the dtypes of its factors. */
export interface ProductKernel {
  /** Multiplies two matrices. Nothing of the call is retained or, but for `into`, mutated; `into` overlaps neither factor. */
  run(call: ProductCall): void | Promise<void>
}

/** Two matrices that a kernel multiplies, left [rows, depth] by right [depth, columns], and where the result goes. */
export interface ProductCall {
  /** Of the result. */
  readonly rows: number
  /** Of the result. */
  readonly columns: number
  /** Terms of each sum. */
  readonly depth: number
  /** Stored elements, at any alignment. */
  readonly left: Uint8Array
  readonly right: Uint8Array
  readonly into: Uint8Array
  /** Elements from the start of a row as stored to that of the next; absent: rows follow one another. */
  readonly leftStride?: number
  readonly rightStride?: number
  readonly intoStride?: number
  /** Goes on with sums that stand in `into`, which must be F64. */
  readonly add?: boolean
}

/** The stored shape of each matrix of a call, and how far its rows are apart. */
export interface StoredMatrix {
  readonly rows: number
  readonly columns: number
  readonly stride: number
}

/** Lays out a call's three matrices as they are stored. */
export function storedMatrices(
  { left, right }: Product,
  { rows, columns, depth, leftStride, rightStride, intoStride }: ProductCall,
): { readonly left: StoredMatrix; readonly right: StoredMatrix; readonly into: StoredMatrix } {
  const matrix = (height: number, width: number, stride = width): StoredMatrix => ({
    rows: height,
    columns: width,
    stride,
  })
  return {
    left: left.transposed ? matrix(depth, rows, leftStride) : matrix(rows, depth, leftStride),
    right: right.transposed ? matrix(columns, depth, rightStride) : matrix(depth, columns, rightStride),
    into: matrix(rows, columns, intoStride),
  }
}

/** A name for a product that equal ones share. */
export const productKey = ({ left, right, result }: Product): string =>
  [left, right].map(({ dtype, transposed }) => (transposed ? `${dtype}ᵀ` : dtype)).join('·') + `→${result}`
