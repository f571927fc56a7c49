import { describe, expect, test } from 'vitest'
import { findQuantization, isObject, withoutQuantization } from './config-quantization.ts'

const method = (found: object) => findQuantization({ quantization_config: found })?.method

describe('what a config says of quantization', () => {
  const fp8 = { quant_method: 'fp8', weight_block_size: [128, 64] }

  test.each(['quantization_config', 'compression_config', 'quantization'])('stands under %s', (key) => {
    expect(findQuantization({ [key]: fp8 })).toEqual({ method: 'fp8', blockSize: [128, 64], settings: fp8 })
  })

  test.each(['text_config', 'llm_config', 'language_config', 'thinker_config'])('or there in its %s', (part) => {
    expect(findQuantization({ [part]: { quantization_config: fp8 } })?.method).toBe('fp8')
    expect(
      findQuantization({ [part]: { quantization_config: fp8 }, compression_config: { quant_method: 'x' } }),
    ).toEqual({
      method: 'x',
      blockSize: undefined,
      settings: { quant_method: 'x' },
    })
  })

  test('is nothing elsewhere, or where it is no object', () => {
    for (const config of [
      {},
      { vision_config: { quantization_config: fp8 } },
      { quantization_config: null },
      { quantization_config: [fp8] },
      { quantization_config: 'fp8' },
      { text_config: [{ quantization_config: fp8 }] },
      { quantization: { other: 1 } },
    ])
      expect(findQuantization(config)).toBeUndefined()
  })

  test.each(['group_size', 'bits', 'mode', 'quant_method'])('under quantization only with a scheme: %s', (key) => {
    expect(findQuantization({ quantization: { [key]: 4 } })).toBeDefined()
    expect(withoutQuantization({ quantization: { [key]: 4 } })).toEqual({})
  })

  test('has a size of blocks where that is two whole numbers', () => {
    const size = (weight_block_size: unknown) =>
      findQuantization({ quantization_config: { quant_method: 'fp8', weight_block_size } })?.blockSize
    expect(size([1, 1])).toEqual([1, 1])
    for (const other of [undefined, null, 128, [128], [128, 128, 1], [0, 128], [128, 1.5], ['128', 128]])
      expect(size(other)).toBeUndefined()
  })

  test.each<[string, object]>([
    ['gptq', { quant_method: 'gptq', load_in_4bit: true }],
    ['bitsandbytes', { load_in_4bit: true }],
    ['bitsandbytes', { load_in_8bit: true, quant_algo: 'x' }],
    ['MLX', { group_size: 64, bits: 4, quant_algo: 'x' }],
    ['NVFP4', { quant_algo: 'NVFP4', group_size: 16, load_in_4bit: false }],
    ['an unnamed method', { bits: 4 }],
    ['an unnamed method', { load_in_4bit: 1, load_in_8bit: false, quant_algo: 5, quant_method: null }],
  ])('is called %s', (name, found) => {
    expect(method(found)).toBe(name)
  })
})

test('a config without it has all else', () => {
  const config = {
    a: 1,
    quantization_config: { quant_method: 'x' },
    compression_config: 5,
    quantization: { other: 1 },
    text_config: { b: 2, quantization: { bits: 4 }, vision_config: { quantization_config: 1 } },
    vision_config: { quantization_config: 1 },
    llm_config: [{ quantization_config: 1 }],
  }
  expect(withoutQuantization(config)).toEqual({
    a: 1,
    quantization: { other: 1 },
    text_config: { b: 2, vision_config: { quantization_config: 1 } },
    vision_config: { quantization_config: 1 },
    llm_config: [{ quantization_config: 1 }],
  })
  expect(withoutQuantization({ quantization: 5 })).toEqual({ quantization: 5 })
})

test('an object is none of null, lists and texts', () => {
  expect([{}, { a: 1 }, null, [], 'x', 1, undefined].map(isObject)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})
