import { add, input, mul, rank, uniform } from '@mk/tensor'
import { createReferenceRuntime, type KernelCall, lower, type Program } from '@mk/tensor/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import type { GpuObject } from './gpu-js.ts'
import { createGpuRuntime, createRuntimeOn } from './runtime.ts'

const opening = createGpuRuntime({ mode: 'webasm' })
afterAll(async () => (await opening).close())

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer)
const { program, scalars, vectors } = lower(
  {
    stores: [{ value: add(mul(input(0), 0.1), uniform({ high: 1, low: 2 })), dtype: 'F32' }],
    reductions: [{ reduce: 'sum', per: 'tensor', value: mul(input(0), input(0)) }],
  },
  ['F32'],
)

function callOf(elementCount: number, seed = 1): KernelCall & { outputs: Uint8Array[] } {
  const values = Float32Array.from({ length: elementCount }, (_, i) => Math.sin(i * seed))
  return {
    elementCount,
    offset: 0,
    columns: elementCount,
    inputs: [bytesOf(values)],
    scalars,
    vectors,
    outputs: [new Uint8Array(4 * elementCount)],
  }
}

describe('a kernel', () => {
  it('takes calls longer than a block', async () => {
    const [call, expected] = [callOf(300_001), callOf(300_001)]
    const results = await (await (await opening).compile(program)).run(call)
    expect(results).toEqual(await (await createReferenceRuntime().compile(program)).run(expected))
    expect(Buffer.compare(call.outputs[0]!, expected.outputs[0]!)).toBe(0)
  })

  it('takes calls that nobody waits for', async () => {
    const kernel = await (await opening).compile(program)
    const calls = [1, 2, 3].map((seed) => callOf(2000, seed))
    const results = await Promise.all(calls.map((call) => kernel.run(call)))
    for (const [index, call] of calls.entries()) {
      const expected = callOf(2000, index + 1)
      expect(results[index]).toEqual(await (await createReferenceRuntime().compile(program)).run(expected))
      expect(call.outputs).toEqual(expected.outputs)
    }
  })

  it('is compiled once for equal programs', async () => {
    const runtime = await opening
    const equal = JSON.parse(JSON.stringify(program)) as Program
    expect(await runtime.compile(equal)).toBe(await runtime.compile(program))
  })

  it('refuses calls that do not fit', async () => {
    const kernel = await (await opening).compile(program)
    await expect(kernel.run({ ...callOf(5), inputs: [new Uint8Array(19)] })).rejects.toMatchObject({
      code: 'input-bytes',
    })
  })
})

describe('a program', () => {
  it('with rank is not supported', async () => {
    const { program } = lower({ stores: [{ value: rank(input(0)), dtype: 'F32' }] }, ['F32'])
    await expect((await opening).compile(program)).rejects.toMatchObject({
      code: 'unsupported-program',
      message: 'runtime gpu (webasm) does not support rank',
    })
  })

  it('that gpu.js refuses is not supported, and others still are', async () => {
    const refuse = (source: string) => {
      if (source.includes('Math.fround')) throw new Error('no such function')
      return () => new Float32Array(1024)
    }
    const runtime = createRuntimeOn({
      mode: 'webgl',
      gpu: { createKernel: refuse, destroy: async () => {} } satisfies GpuObject,
    })
    await expect(runtime.compile(program)).rejects.toMatchObject({
      code: 'unsupported-program',
      message: expect.stringMatching(/gpu \(webgl\).*no such function/) as string,
    })
    const { program: other } = lower({ reductions: [{ reduce: 'sum', per: 'tensor', value: input(0) }] }, ['F32'])
    await expect(runtime.compile(other)).resolves.toBeDefined()
  })

  it('that is malformed is refused', async () => {
    await expect((await opening).compile({ ...program, inputs: [] })).rejects.toMatchObject({
      code: 'malformed-program',
    })
  })
})

it('destroys the GPU object when it is closed, and takes no calls after', async () => {
  let destroyed = 0
  const gpu: GpuObject = {
    createKernel: () => () => [new Float32Array(1024), new Float32Array(1024)],
    destroy: async () => void destroyed++,
  }
  const runtime = createRuntimeOn({ mode: 'cpu', gpu })
  const kernel = await runtime.compile(program)
  await runtime.close()
  await runtime.close()
  expect(destroyed).toBe(1)
  await expect(kernel.run(callOf(1))).rejects.toMatchObject({ code: 'runtime-closed' })
  await expect(runtime.compile(program)).rejects.toMatchObject({ code: 'runtime-closed' })
  expect(() => runtime.allocate(1)).toThrow('the runtime has been closed')
})
