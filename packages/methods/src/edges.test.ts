import { describe, expect, it } from 'vitest'
import { builtinMethods } from './builtin-methods.ts'
import { noise } from './__fixtures__/arrays.ts'
import { examples, modelCount, withFiles } from './__fixtures__/examples.ts'
import { findMethod } from './check/find-method.ts'
import { mergeArrays } from './merge-arrays.ts'

describe.each([[[]], [[0]], [[1]], [[3]], [[0, 4]], [[4, 0]], [[1, 1]], [[5, 1]], [[1, 5]], [[2, 3, 4]], [[2, 0, 4]]])(
  'tensors of shape %j',
  (shape) => {
    const count = shape.reduce((product, size) => product * size, 1)

    it.each(examples)('%s with %j merges them', async (name, parameters) => {
      const method = builtinMethods.get(name)!
      const { base } = method
      const inputs = Array.from({ length: modelCount(method) }, (_, i) => noise(count, i + 1))
      for (const withBase of base === 'optional' ? [true, false] : [base === 'required']) {
        const merged = await mergeArrays(findMethod(name), {
          shape,
          models: inputs,
          base: withBase ? noise(count, 9) : undefined,
          parameters: withFiles(method, parameters, shape),
          warn: () => {},
        })
        expect(merged.length).toBe(count)
        expect(merged.every(Number.isFinite)).toBe(true)
      }
    })
  },
)

describe('16-bit floats', () => {
  it.each(examples)('%s with %j merges them as the numbers they stand for', async (name, parameters) => {
    const method = builtinMethods.get(name)!
    const { base } = method
    const bfloat16 = (x: Float32Array): Uint16Array => new Uint16Array(x.buffer).filter((_, i) => i % 2 === 1)
    const widen = (x: Uint16Array): Float32Array => new Float32Array(Uint32Array.from(x, (bits) => bits << 16).buffer)
    const narrow = Array.from({ length: modelCount(method) + 1 }, (_, i) => bfloat16(noise(64, i + 1)))
    const request = <T>(convert: (x: Uint16Array) => T) => ({
      models: narrow.slice(1).map(convert),
      base: base === 'none' ? undefined : convert(narrow[0]!),
      parameters: withFiles(method, parameters, [8, 8]),
    })
    const stored = (x: Uint16Array) => ({ dtype: 'BF16' as const, bytes: new Uint8Array(x.buffer) })
    const merged = await mergeArrays(findMethod(name), { shape: [8, 8], ...request(stored) })
    expect(merged).toEqual(await mergeArrays(findMethod(name), { shape: [8, 8], ...request(widen) }))
  })
})
