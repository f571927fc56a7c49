import { describe, expect, it } from 'vitest'
import { describeNonFinite } from './describe-non-finite.ts'

const of = (facts: Partial<Parameters<typeof describeNonFinite>[0]>) =>
  describeNonFinite({ tensor: 'a.weight', dtype: 'F16', inputs: [], results: 3, overflow: 0, ...facts })

describe('what is not finite', () => {
  it('is told of each model, and of the result', () => {
    const inputs = [
      { model: 'left', count: 3 },
      { model: 'right', count: 1 },
    ]
    expect(of({ inputs })).toBe('a.weight: 3 in left, 1 in right, 3 in the result')
    expect(of({ inputs, results: 0 })).toBe('a.weight: 3 in left, 1 in right, none in the result')
  })

  it('is told to be overflow where all of it is, or how much', () => {
    expect(of({ overflow: 3 })).toBe('a.weight: 3 in the result, by overflow (float16 ends at 65504)')
    expect(of({ overflow: 1 })).toBe('a.weight: 3 in the result, 1 of them by overflow (float16 ends at 65504)')
  })

  it.each([
    ['Q8_0', 'q8_0 ends at 8.32e6'],
    ['Q4_0', 'q4_0 ends at 5.24e5'],
    ['BF16', 'bfloat16 ends at 3.39e38'],
    ['F32', 'float32 ends at 3.4e38'],
    ['F64', 'arithmetic is float32, which ends at 3.4e38'],
    ['F8_E4M3', 'float8_e4m3fn ends at 448'],
    ['F8_E5M2', 'float8_e5m2 ends at 57344'],
    ['Q6_K', 'Q6_K'],
  ])('in %s is told with where that ends', (dtype, limit) => {
    expect(of({ dtype, overflow: 3 })).toBe(`a.weight: 3 in the result, by overflow (${limit})`)
  })
})
