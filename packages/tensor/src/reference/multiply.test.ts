import { describe, expect, it } from 'vitest'
import { numbers, stored } from '../conformance/data.ts'
import { PRODUCT_DEPTH, type Product, type ProductCall } from '../product/product.ts'
import { multiply } from './multiply.ts'

const f32 = { dtype: 'F32', transposed: false } as const
const product: Product = { left: f32, right: f32, result: 'F64' }

describe('a product', () => {
  it('is what the textbook says', () => {
    const into = new Uint8Array(4 * 4)
    const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
    const call: ProductCall = {
      rows: 2,
      columns: 2,
      depth: 3,
      left: bytes(1, 2, 3, 4, 5, 6),
      right: bytes(7, 8, 9, 10, 11, 12),
      into,
    }
    multiply({ ...product, result: 'F32' }, call)
    expect([...new Float32Array(into.buffer)]).toEqual([58, 64, 139, 154])
    multiply(
      { left: { dtype: 'F32', transposed: true }, right: { dtype: 'F32', transposed: true }, result: 'F32' },
      { ...call, left: bytes(1, 4, 2, 5, 3, 6), right: bytes(7, 9, 11, 8, 10, 12) },
    )
    expect([...new Float32Array(into.buffer)]).toEqual([58, 64, 139, 154])
  })

  it('is the same in several calls as in one, cut at blocks of terms', () => {
    const depth = 5 * PRODUCT_DEPTH + 7
    const [left, right] = [stored('F32', numbers(depth, 1)), stored('F32', numbers(depth, 2))]
    const sum = (...cuts: number[]): number => {
      const into = new Uint8Array(8)
      ;[0, ...cuts].forEach((start, index) => {
        const end = cuts[index] ?? depth
        const part = (bytes: Uint8Array) => bytes.subarray(4 * start, 4 * end)
        const call = { rows: 1, columns: 1, depth: end - start, left: part(left), right: part(right), into }
        multiply(product, { ...call, add: index > 0 })
      })
      return new Float64Array(into.buffer)[0]!
    }
    expect(sum(PRODUCT_DEPTH, 3 * PRODUCT_DEPTH)).toBe(sum())
    expect(sum(100)).not.toBe(sum())
  })

  it('keeps long sums as exact as short ones', () => {
    const depth = 200_000
    const ones = stored('F32', new Float32Array(depth).fill(0.1))
    const into = new Uint8Array(8)
    multiply(product, { rows: 1, columns: 1, depth, left: ones, right: ones, into })
    const exact = depth * Math.fround(0.1) ** 2
    expect(Math.abs(new Float64Array(into.buffer)[0]! - exact) / exact).toBeLessThan(2e-6)
  })
})
