import { describe, expect, it } from 'vitest'
import { visitNonFinite } from './visit-non-finite.ts'

const visited = (dtype: 'F32' | 'F64' | 'F8_E4M3', bytes: Uint8Array, elementCount: number, largest?: number) => {
  const found: number[] = []
  visitNonFinite(elementCount, { dtype, bytes, ...(largest !== undefined && { largest }) }, (index) =>
    found.push(index),
  )
  return found
}

describe('what is infinite or NaN is visited', () => {
  const values = [1, Number.NaN, -Infinity, 0, Infinity, 2]

  it('in float32 and float64, by its index', () => {
    expect(visited('F32', new Uint8Array(Float32Array.from(values).buffer), 6)).toEqual([1, 2, 4])
    expect(visited('F64', new Uint8Array(Float64Array.from(values).buffer), 6)).toEqual([1, 2, 4])
    expect(visited('F32', new Uint8Array(Float32Array.from(values).buffer), 2)).toEqual([1])
  })

  it('but not a float64 past float32', () => {
    expect(visited('F64', new Uint8Array(Float64Array.of(1e300, -1e300).buffer), 2)).toEqual([])
  })

  it('and what is larger than the largest that a block holds', () => {
    expect(visited('F32', new Uint8Array(Float32Array.of(6, -6.5, 7).buffer), 3, 6)).toEqual([1, 2])
  })

  it('beyond the elements that are decoded at a time', () => {
    const many = new Float64Array(200_000)
    for (const index of [0, 65_535, 65_536, 199_999]) many[index] = Number.NaN
    expect(visited('F64', new Uint8Array(many.buffer), many.length)).toEqual([0, 65_535, 65_536, 199_999])
    expect(visited('F32', new Uint8Array(Float32Array.from(many).buffer), many.length)).toEqual([
      0, 65_535, 65_536, 199_999,
    ])
  })
})
