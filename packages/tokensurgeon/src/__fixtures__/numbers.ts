import { createWasmRuntime } from '@mk/runtime-wasm'
import type { Runtime } from '@mk/tensor/runtime'
import { afterAll } from 'vitest'
import { normalAt } from '../approximate/random.ts'

/** Normally distributed numbers, the same each time. */
export const drawn = (count: number, seed = 1): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => normalAt({ high: seed, low: 7 }, index))

/** A row of a matrix. */
export const rowOf = (values: Float32Array, width: number, row: number): Float32Array =>
  values.subarray(row * width, (row + 1) * width)

/** The largest difference of two arrays. */
export const farthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a, (value, index) => Math.abs(value - b[index]!)).reduce((x, y) => Math.max(x, y), 0)
    : Infinity

/** Solves a system of equations in the plain way: Gauss, with pivots. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!])
  rows.forEach((_, column) => {
    const pivot = rows
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best))
    const from = rows.indexOf(pivot)
    rows[from] = rows[column]!
    rows[column] = pivot
    rows.forEach((row, index) => {
      if (index === column) return
      const factor = row[column]! / pivot[column]!
      pivot.forEach((value, at) => (row[at]! -= factor * value))
    })
  })
  return rows.map((row, index) => row.at(-1)! / row[index]!)
}

/** The coefficients of rows that come nearest to a target. */
export function nearestCoefficients(rows: readonly (readonly number[])[], target: readonly number[]): number[] {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index]!, 0)
  return solve(
    rows.map((a) => rows.map((b) => dot(a, b))),
    rows.map((row) => dot(row, target)),
  )
}

/** What is left of a target. */
export const leftOf = (
  target: readonly number[],
  rows: readonly (readonly number[])[],
  coefficients: readonly number[],
): number[] =>
  target.map((value, at) => rows.reduce((rest, row, index) => rest - coefficients[index]! * row[at]!, value))

/** A runtime for the tests of a file. */
export function useRuntime(): Runtime {
  const runtime = createWasmRuntime()
  afterAll(() => runtime.close())
  return runtime
}
