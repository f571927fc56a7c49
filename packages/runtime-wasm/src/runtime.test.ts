import { issueErrorOf } from '@mk/errors'
import { abs, add, input, mul, rank } from '@mk/tensor'
import { createDice, randomCall } from '@mk/tensor/conformance'
import { createReferenceRuntime, lower, type Program } from '@mk/tensor/runtime'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { findDifference } from './__fixtures__/compare.ts'
import { createWasmRuntime } from './runtime.ts'

const { program, scalars } = lower({ stores: [{ value: mul(input(0), 3), dtype: 'F32' }] }, ['F32'])
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const callOf = (elements: Uint8Array, output: Uint8Array) => ({
  elementCount: elements.byteLength / 4,
  offset: 0,
  columns: elements.byteLength / 4,
  inputs: [elements],
  scalars,
  vectors: [],
  outputs: [output],
})

afterEach(() => vi.unstubAllGlobals())

describe('kernels', () => {
  it('work in buffers of the runtime and in any others', async () => {
    const runtime = createWasmRuntime()
    const kernel = await runtime.compile(program)
    for (const buffer of [(bytes: number) => runtime.allocate(bytes), (bytes: number) => new Uint8Array(bytes)]) {
      const [elements, output] = [buffer(20), buffer(20)]
      elements.set(floats(1, 2, 3, 4, -5))
      kernel.run(callOf(elements, output))
      expect(output).toEqual(floats(3, 6, 9, 12, -15))
    }
  })

  it('may write their result over their input', async () => {
    const runtime = createWasmRuntime()
    const elements = runtime.allocate(4 * 37)
    const values = Array.from({ length: 37 }, (_, i) => i)
    elements.set(floats(...values))
    ;(await runtime.compile(program)).run(callOf(elements, elements))
    expect(elements).toEqual(floats(...values.map((value) => 3 * value)))
  })

  it('are compiled once for equal programs', async () => {
    const runtime = createWasmRuntime()
    expect(await runtime.compile(program)).toBe(await runtime.compile(structuredClone(program) as Program))
  })

  it('leave the buffers of the runtime alone', async () => {
    const runtime = createWasmRuntime({ memoryBytes: 2 ** 20 })
    const guard = runtime.allocate(2 ** 19).fill(0x5a)
    ;(await runtime.compile(program)).run(callOf(floats(1, 2, 3), new Uint8Array(12)))
    expect(guard.every((byte) => byte === 0x5a)).toBe(true)
  })

  it('sort rows of thousands of elements as the reference does', async () => {
    const runtime = createWasmRuntime()
    const { program, scalars, vectors } = lower({ stores: [{ value: rank(add(input(0), input(1))), dtype: 'F32' }] }, [
      'BF16',
      'F32',
    ])
    for (const columns of [2047, 2048, 5003]) {
      const inputs = randomCall(createDice(columns), program).inputs.map((bytes, slot) => {
        const long = new Uint8Array(2 * columns * (slot === 0 ? 2 : 4))
        return long.map((_, i) => bytes[i % bytes.length] ?? 0)
      })
      const call = {
        elementCount: 2 * columns,
        offset: columns,
        columns,
        inputs,
        scalars,
        vectors,
        outputs: [new Uint8Array(8 * columns)],
      }
      expect(await findDifference(program, call, createReferenceRuntime(), runtime)).toBeUndefined()
    }
  })

  it.each([
    ['alike in their leading bits, in descending order', (i: number) => 1 + (4000 - i) * 2 ** -23],
    ['alike in their leading bits, in any order', (i: number) => 1 + ((i * 1789) % 4001) * 2 ** -23],
    ['nearly in order', (i: number) => (i === 3000 ? 0 : i)],
    ['negative and positive', (i: number) => ((i * 1789) % 4001) - 2000],
    ['equal', () => -0.1],
    ['zeros of both signs, and NaN', (i: number) => [0, -0, NaN][i % 3]!],
    ['zero, and few others', (i: number) => Math.round(((i * 1789) % 4001) / 400 - 5) * 2 ** -13],
    ['alike but for one', (i: number) => (i === 7 ? 1e30 : 1 + (i % 5) / 8)],
    ['alike but for one that is not finite', (i: number) => (i === 7 ? Infinity : i % 5)],
    ['of all sizes', (i: number) => 2 ** (((i * 1789) % 277) - 149)],
    ['at the end of the range of bins', (i: number) => [1, 2 ** -15, 2 ** -16, 2 ** -17, 0][(i * 1789) % 5]!],
    ['of one size', (i: number) => 1 + ((i * 1789) % 4001) / 4001],
    ['subnormal', (i: number) => ((i * 1789) % 4001) * 2 ** -149],
  ])('sort rows whose values are %s', async (_, valueAt) => {
    for (const [value, columns] of [1, 2, 9, 31, 200, 4000, 20000].flatMap(
      (count) =>
        [
          [input(0), count],
          [abs(input(0)), count],
        ] as const,
    )) {
      const { program, scalars, vectors } = lower({ stores: [{ value: rank(value), dtype: 'F32' }] }, ['F32'])
      const elements = floats(...Array.from({ length: 2 * columns }, (_, i) => valueAt(i % columns)))
      const call = {
        elementCount: 2 * columns,
        offset: 0,
        columns,
        inputs: [elements],
        scalars,
        vectors,
        outputs: [new Uint8Array(elements.byteLength)],
      }
      expect(await findDifference(program, call, createReferenceRuntime(), createWasmRuntime())).toBeUndefined()
    }
  })

  it('reduce a chunk of full size as the reference does', async () => {
    const runtime = createWasmRuntime()
    const product = mul(input(0), input(1))
    const { program, scalars, vectors } = lower(
      {
        reductions: [
          { reduce: 'sum', per: 'tensor', value: product },
          { reduce: 'sum', per: 'row', value: product },
          { reduce: 'sum', per: 'column', value: product },
        ],
        histograms: [{ value: product, bins: 700, lo: 0x30000000, shift: 16 }],
      },
      ['BF16', 'BF16'],
    )
    const dice = createDice(5)
    const elementCount = 2 ** 17
    const bytes = (): Uint8Array =>
      new Uint8Array(
        Uint16Array.from({ length: elementCount }, () => 0x3c00 + dice.below(0x380) + 0x8000 * dice.below(2)).buffer,
      )
    const call = { elementCount, offset: 0, columns: 2048, inputs: [bytes(), bytes()], scalars, vectors, outputs: [] }
    expect(await findDifference(program, call, createReferenceRuntime(), runtime)).toBeUndefined()
  })
})

describe('errors', () => {
  const issueOf = (run: () => unknown): unknown => {
    try {
      run()
    } catch (error) {
      return issueErrorOf(error)?.issue
    }
    return undefined
  }

  it('says how much a buffer needed when the memory is exhausted', () => {
    const runtime = createWasmRuntime({ memoryBytes: 2 ** 17 })
    expect(issueOf(() => runtime.allocate(2 ** 17))).toMatchObject({
      code: 'memory-exhausted',
      neededBytes: 2 ** 17,
      memoryBytes: 2 ** 17,
      purpose: 'a buffer',
    })
  })

  it('says how much a call needed when the memory is exhausted, and goes on working', async () => {
    const runtime = createWasmRuntime({ memoryBytes: 2 ** 17 })
    const kernel = await runtime.compile(program)
    const large = new Uint8Array(2 ** 17)
    expect(issueOf(() => kernel.run(callOf(large, large)))).toMatchObject({
      code: 'memory-exhausted',
      purpose: 'a kernel call',
    })
    const output = new Uint8Array(8)
    kernel.run(callOf(floats(1, 2), output))
    expect(output).toEqual(floats(3, 6))
  })

  it('rejects a memory size that cannot be', () => {
    for (const memoryBytes of [0, -1, NaN, 2 ** 33]) {
      expect(issueOf(() => createWasmRuntime({ memoryBytes }))).toMatchObject({ code: 'runtime-option' })
    }
  })

  it('rejects an engine without WebAssembly, or without SIMD', async () => {
    const { Memory, instantiate } = WebAssembly
    vi.stubGlobal('WebAssembly', undefined)
    expect(issueOf(() => createWasmRuntime())).toMatchObject({
      code: 'runtime-unavailable',
      missing: 'there is no WebAssembly',
    })
    const compile = async (): Promise<never> => {
      throw new Error('invalid opcode 0xfd')
    }
    vi.stubGlobal('WebAssembly', { Memory, instantiate, compile })
    await expect(createWasmRuntime().compile(program)).rejects.toMatchObject({
      code: 'runtime-unavailable',
      issue: { missing: 'invalid opcode 0xfd' },
    })
  })

  it('rejects an engine that refuses the memory', () => {
    vi.stubGlobal('WebAssembly', {
      Memory: class {
        constructor() {
          throw new RangeError('could not allocate memory')
        }
      },
    })
    expect(issueOf(() => createWasmRuntime())).toMatchObject({
      code: 'runtime-unavailable',
      missing: 'the engine has no memory of 268435456 bytes for it',
      remedy: expect.stringMatching(/ulimit -v.*--disable-wasm-trap-handler/),
    })
  })

  it('rejects use after close', async () => {
    const runtime = createWasmRuntime()
    const kernel = await runtime.compile(program)
    await runtime.close()
    expect(issueOf(() => runtime.allocate(1))).toMatchObject({ code: 'runtime-closed' })
    expect(issueOf(() => kernel.run(callOf(floats(1), new Uint8Array(4))))).toMatchObject({ code: 'runtime-closed' })
    await expect(runtime.compile(program)).rejects.toMatchObject({ code: 'runtime-closed' })
  })

  it('rejects malformed programs and calls as the reference does', async () => {
    const runtime = createWasmRuntime()
    await expect(runtime.compile({ ...program, inputs: [] })).rejects.toMatchObject({ code: 'malformed-program' })
    const kernel = await runtime.compile(program)
    expect(() => kernel.run({ ...callOf(floats(1, 2), new Uint8Array(8)), elementCount: 3 })).toThrow(/input 0/)
  })
})

it('sums nothing to 0', async () => {
  const { program, scalars, vectors } = lower({ reductions: [{ reduce: 'sum', per: 'tensor', value: input(0) }] }, [
    'F32',
  ])
  const kernel = await createWasmRuntime().compile(program)
  expect(
    kernel.run({ elementCount: 0, offset: 0, columns: 0, inputs: [new Uint8Array(0)], scalars, vectors, outputs: [] }),
  ).toEqual([Float64Array.of(0)])
})
