import type { StreamedInput } from '@mk/tensor'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { describe, expect, it, vi } from 'vitest'
import { noise } from './__fixtures__/arrays.ts'
import { findMethod } from './check/find-method.ts'
import { defineMethod } from './declare/define-method.ts'
import { mergeArrays, type MergeArraysRequest, mergeStreams } from './merge-arrays.ts'

const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3, 4)]

describe('mergeArrays', () => {
  it('takes one value for all models, or one for each', async () => {
    expect(await mergeArrays('linear', { models: [a, b], parameters: { weight: 1 } })).toEqual(Float32Array.of(2, 3))
    expect(await mergeArrays('linear', { models: [a, b], parameters: { weight: [1, 3] } })).toEqual(
      Float32Array.of(2.5, 3.5),
    )
  })

  it('takes float64, stored bytes, views into longer buffers', async () => {
    const bytes = new Uint8Array(Uint16Array.of(0x3c00, 0xc000).buffer)
    const view = Float32Array.of(9, 3, 4).subarray(1)
    const models = [Float64Array.of(5, 6), { dtype: 'F16' as const, bytes }, view]
    expect(await mergeArrays('linear', { models, parameters: { weight: 1, normalize: false } })).toEqual(
      Float32Array.of(9, 8),
    )
  })

  it('leaves its inputs as they are', async () => {
    await mergeArrays('ties', { base: a, models: [b], parameters: { weight: 2, density: 0.5 } })
    expect([a, b]).toEqual([Float32Array.of(1, 2), Float32Array.of(3, 4)])
  })

  it('runs on the runtime that it is given, and leaves it open', async () => {
    const runtime = createReferenceRuntime()
    const compile = vi.spyOn(runtime, 'compile')
    const close = vi.spyOn(runtime, 'close')
    await mergeArrays('slerp', { base: a, models: [b], parameters: { t: 0.5 } }, runtime)
    expect(compile).toHaveBeenCalled()
    expect(close).not.toHaveBeenCalled()
  })

  it('runs on WebAssembly where there is enough to do, unless it is given another runtime', async () => {
    const compile = vi.spyOn(WebAssembly, 'Module')
    await mergeArrays('linear', { models: [a], parameters: { weight: 1 } })
    expect(compile).not.toHaveBeenCalled()
    await mergeArrays('linear', { models: [new Float32Array(5000)], parameters: { weight: 1 } })
    expect(compile).toHaveBeenCalled()
    compile.mockRestore()
  })

  it('has the seed 0, the name tensor, no layer, and says aloud what is worth a warning', async () => {
    const model = noise(1000, 1)
    const request = { base: new Float32Array(1000), models: [model] }
    const drawn = { ...request, parameters: { weight: 1, density: 0.5 } }
    expect(await mergeArrays('dare_linear', drawn)).toEqual(
      await mergeArrays('dare_linear', { ...drawn, seed: 0, tensorName: 'tensor' }),
    )
    expect(await mergeArrays('dare_linear', drawn)).not.toEqual(await mergeArrays('dare_linear', { ...drawn, seed: 1 }))
    const scaled = { ...request, parameters: { weight: 1, lines_alpha: 0.5, lines_beta: 1 } }
    expect(await mergeArrays('task_arithmetic', scaled)).toEqual(model.map((value) => value / 2))
    expect(await mergeArrays('task_arithmetic', { ...scaled, layerDepth: 0.5 })).toEqual(model)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    await mergeArrays('ties', { ...request, parameters: { weight: 1, density: 0 } })
    expect(warn.mock.calls).toEqual([['tensor: density 0 of model 1 keeps none of its 1000 elements']])
    warn.mockRestore()
  })

  it('takes each row of a shape, or all as one', async () => {
    const request = { models: [noise(12, 1), noise(12, 2)], parameters: { weight: 0.5, nuslerp_flatten: false } }
    expect(await mergeArrays('nuslerp', request)).toEqual(await mergeArrays('nuslerp', { ...request, shape: [12] }))
    expect(await mergeArrays('nuslerp', request)).not.toEqual(
      await mergeArrays('nuslerp', { ...request, shape: [3, 4] }),
    )
    await expect(mergeArrays('nuslerp', { ...request, shape: [3, 5] })).rejects.toThrow(
      'model 1 has 12 elements, expected 15 by the shape',
    )
  })

  it('gives the stored bytes of a dtype', async () => {
    const request = { models: [a, b], parameters: { weight: 1 } }
    expect(await mergeArrays('linear', { ...request, dtype: 'BF16' })).toEqual({
      dtype: 'BF16',
      bytes: new Uint8Array(Uint16Array.of(0x4000, 0x4040).buffer),
    })
  })

  it('does nothing where the signal has fired, and rejects with its reason', async () => {
    const compile = vi.spyOn(WebAssembly, 'Module')
    const signal = AbortSignal.abort('enough')
    await expect(mergeArrays('linear', { models: [a], parameters: { weight: 1 }, signal })).rejects.toBe('enough')
    expect(compile).not.toHaveBeenCalled()
    compile.mockRestore()
  })

  it('lets in the event that fires the signal, and then ends', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')))
    const model = new Float32Array(2 ** 21)
    const rounds = async () => {
      for (;;)
        await mergeArrays('karcher', {
          models: [model, model],
          parameters: { max_iter: 50 },
          signal: controller.signal,
        })
    }
    await expect(rounds()).rejects.toThrow('enough')
  })

  it('ignores a base that the method does not use', async () => {
    expect(await mergeArrays('linear', { base: b, models: [a], parameters: { weight: 1 } })).toEqual(a)
  })

  it('runs a method of one’s own', async () => {
    const first = defineMethod({
      name: 'first',
      summary: '',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: {}, methodWide: {} },
      merge: ({ models }) => models[0]!,
    })
    expect(await mergeArrays(first, { models: [b, a] })).toEqual(b)
  })

  it.each([
    ['no such method', 'tie', { models: [a] }, { code: 'unknown-method', method: 'tie' }],
    [
      'a parameter that the method lacks',
      'linear',
      { models: [a], parameters: { wieght: 1 } },
      { code: 'unknown-parameter', parameter: 'wieght', known: ['weight', 'normalize'] },
    ],
    [
      'too few values',
      'linear',
      { models: [a, b], parameters: { weight: [1] } },
      { code: 'invalid-parameter', parameter: 'weight' },
    ],
    [
      'arrays of different length',
      'linear',
      { models: [a, Float32Array.of(1)], parameters: { weight: 1 } },
      { code: 'wrong-length', input: 'model 2', length: 1, expected: 2 },
    ],
    [
      'too many values',
      'linear',
      { models: [a, b], parameters: { weight: [1, 2, 3] } },
      {
        code: 'invalid-parameter',
        method: 'linear',
        parameter: 'weight',
        expected: 'one value, or a list of 2, one for each model',
      },
    ],
    [
      'a base of different length',
      'slerp',
      { base: Float32Array.of(1), models: [a], parameters: { t: 0.5 }, shape: [2] },
      { code: 'wrong-length', input: 'the base', length: 1, expected: 2 },
    ],
    [
      'a tensor of a parameter of different length',
      'fisher',
      { models: [a, b], parameters: { importance: [a, Float32Array.of(1)] } },
      { code: 'wrong-length', input: 'importance of model 2', length: 1, expected: 2 },
    ],
    [
      'too few tensors of a parameter',
      'fisher',
      { models: [a, b], parameters: { importance: [a] } },
      {
        code: 'invalid-parameter',
        parameter: 'importance',
        expected: 'a tensor for all models, or a list of 2, one for each model',
      },
    ],
    [
      'what is no tensor in the place of one',
      'fisher',
      { models: [a], parameters: { importance: 'importance.safetensors' } },
      { code: 'invalid-parameter', parameter: 'importance', value: 'importance.safetensors' },
    ],
    [
      'nothing in the place of tensors',
      'fisher',
      { models: [a, b], parameters: { importance: [a, null] } },
      { code: 'invalid-parameter', parameter: 'importance' },
    ],
    [
      'no tensors where they are needed',
      'fisher',
      { models: [a] },
      { code: 'missing-parameter', parameter: 'importance' },
    ],
    [
      'another shape',
      'slerp',
      { shape: [3], base: a, models: [b], parameters: { t: 1 } },
      { code: 'wrong-length', input: 'model 1', length: 2, expected: 3 },
    ],
  ])('refuses %s', async (_what, method, request, issue) => {
    await expect((async () => mergeArrays(findMethod(method), request))()).rejects.toMatchObject({ issue })
  })
})

describe('matrices among the parameters', () => {
  const models = [noise(6, 1), noise(6, 2)]
  const shape = [2, 3]
  const values = [
    [4, 1, 0, 1, 3, 0.5, 0, 0.5, 2],
    [1, 0, 0.25, 0, 2, 0, 0.25, 0, 5],
  ]
  const merge = (statistics: MergeArraysRequest['models']) =>
    mergeArrays('regmean', { models, shape, parameters: { statistics } })

  it('are taken as float64, stored bytes and streams as they are as float32', async () => {
    const expected = await merge(values.map((each) => Float32Array.from(each)))
    const stored = (each: number[]) => ({
      dtype: 'F32' as const,
      bytes: new Uint8Array(Float32Array.from(each).buffer),
    })
    const streamed = (each: number[]): StreamedInput => ({
      dtype: 'F32',
      read(byteStart, into) {
        into.set(stored(each).bytes.subarray(byteStart, byteStart + into.length))
      },
    })
    expect(await merge(values.map((each) => Float64Array.from(each)))).toEqual(expected)
    expect(await merge(values.map(stored))).toEqual(expected)
    expect(await merge(values.map(streamed))).toEqual(expected)
    expect(await merge(values.map((each) => Float64Array.from([9, ...each]).subarray(1)))).toEqual(expected)
  })

  it('are named where they have another size', async () => {
    await expect(merge([Float32Array.from(values[0]!), new Float32Array(6)])).rejects.toMatchObject({
      issue: { code: 'wrong-length', input: 'statistics of model 2', length: 6, expected: 9 },
    })
  })
})

describe('a call from plain JavaScript', () => {
  const merging = mergeArrays as unknown as (...values: unknown[]) => Promise<unknown>
  const two = Float32Array.of(1, 2)
  it.each([
    [undefined, 'request is not given, expected an object with models, a list of tensors'],
    [{ models: two }, 'request is {"models":'],
    [
      { models: [two, [1, 2]] },
      'models[1] is [1,2], expected a Float32Array, a Float64Array, { dtype, bytes } or { dtype, read }',
    ],
    [{ models: [{ dtype: 'BF17', bytes: new Uint8Array(4) }] }, 'models[0] is {"dtype":"BF17"'],
    [{ models: [two], base: 'x' }, "base is 'x'"],
    [{ models: [{ dtype: 'F32', bytes: [1, 2, 3, 4] }] }, 'models[0] is {"dtype":"F32"'],
    [{ models: [{ dtype: 'F32' }] }, 'models[0] is {"dtype":"F32"}'],
    [{ models: [two], base: { bytes: new Uint8Array(8) } }, 'base is {"bytes"'],
  ])('is refused where %j is no request', async (request, message) => {
    await expect(merging('linear', request)).rejects.toMatchObject({
      code: 'wrong-argument',
      message: expect.stringContaining(message),
    })
  })
})

describe('mergeStreams', () => {
  const shape = [300, 600]
  const arrays = [1, 2, 9].map((seed) => noise(300 * 600, seed))
  const [base, ...models] = arrays as [Float32Array, Float32Array, Float32Array]
  const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer)
  let largest = 0
  const streamOf = (values: Float32Array, isLater: boolean): StreamedInput => ({
    dtype: 'F32',
    read(byteStart, into) {
      largest = Math.max(largest, into.length)
      into.set(bytesOf(values).subarray(byteStart, byteStart + into.length))
      return isLater ? Promise.resolve() : undefined
    },
  })

  it.each([
    ['ties', { weight: 1, density: 0.3 }],
    ['slerp', { t: 0.4 }],
    ['della', { weight: [1, 0.5], density: 0.5 }],
  ])('%s gives the bytes that it gives of arrays, without holding more than parts', async (name, parameters) => {
    const method = findMethod(name)
    const used = models.slice(0, method.models.max ?? 2)
    const whole = await mergeArrays(method, { shape, base, models: used, parameters, dtype: 'BF16' })
    const written = new Uint8Array(whole.bytes.length)
    let end = 0
    await mergeStreams(method, {
      shape,
      base: streamOf(base, false),
      models: used.map((values) => streamOf(values, true)),
      parameters,
      dtype: 'BF16',
      write(byteStart, bytes) {
        expect(byteStart).toBe(end)
        end += bytes.length
        written.set(bytes, byteStart)
      },
    })
    expect(end).toBe(written.length)
    expect(Buffer.from(written).equals(whole.bytes)).toBe(true)
    expect(largest).toBeLessThan(300 * 600 * 4)
  })

  it('writes float32 where no dtype is given, and ends where the signal fires', async () => {
    const parts: Uint8Array[] = []
    const controller = new AbortController()
    const request = { shape: [2], models: [a], parameters: { weight: 1 }, signal: controller.signal }
    const write = (_: number, bytes: Uint8Array) => void parts.push(bytes.slice())
    await mergeStreams('linear', { ...request, write })
    expect(parts).toEqual([bytesOf(a)])
    const end = () => controller.abort(new Error('enough'))
    const merging = mergeStreams('linear', { ...request, shape, models: [models[0]!], write: end })
    await expect(merging).rejects.toThrow('enough')
  })

  it('rejects with what reading and writing throw', async () => {
    const request = { shape: [2], models: [a], parameters: { weight: 1 } }
    const full = () => Promise.reject(new Error('full'))
    await expect(mergeStreams('linear', { ...request, write: full })).rejects.toThrow('full')
    const gone: StreamedInput = { dtype: 'BF16', read: () => Promise.reject(new Error('gone')) }
    await expect(mergeStreams('linear', { ...request, models: [gone], write: () => {} })).rejects.toThrow('gone')
  })
})
