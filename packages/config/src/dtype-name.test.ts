import { describe, expect, it } from 'vitest'
import { failureOf, withTop } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

describe('a dtype', () => {
  it.each(['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2'])('is %s', (name) => {
    expect(parseConfig(withTop(`dtype: ${name}`)).config.dtype).toBe(name)
    expect(parseConfig(withTop(`out_dtype: torch.${name}`)).config.outDtype).toBe(name)
  })

  it.each([
    ['q8', 'q8_0'],
    ['int8', 'q8_0'],
    ['Q4', 'q4_0'],
  ])('is not %s, which a GGUF calls %s', (name, meant) => {
    expect(failureOf(withTop(`out_dtype: ${name}`)).issue).toMatchObject({ code: 'wrong-value', nearest: meant })
  })

  it.each([
    ['double', 'float64'],
    ['fp64', 'float64'],
    ['f64', 'float64'],
    ['float', 'float32'],
    ['fp32', 'float32'],
    ['F32', 'float32'],
    ['half', 'float16'],
    ['fp16', 'float16'],
    ['f16', 'float16'],
    ['BF16', 'bfloat16'],
    ['fp8', 'float8_e4m3fn'],
    ['float8', 'float8_e4m3fn'],
    ['F8_E4M3', 'float8_e4m3fn'],
    ['f8_e5m2', 'float8_e5m2'],
    ['torch.fp16', 'float16'],
    ['float32x', 'float32'],
  ])('is not %s, which means %s', (name, meant) => {
    expect(failureOf(withTop(`dtype: ${name}`)).issue).toMatchObject({ code: 'wrong-value', nearest: meant })
  })

  it.each(['int8', 'quite another thing', 'a.torch.b'])('is not %s, which is like none', (name) => {
    expect(failureOf(withTop(`dtype: ${name}`)).issue).not.toHaveProperty('nearest')
  })
})
