import {
  add,
  before,
  createArraySession,
  gt,
  input,
  max,
  mul,
  perRow,
  select,
  sum,
  TensorError,
  uniform,
} from '@mk/tensor'
import { createReferenceRuntime, lower, type Program } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import type { OnnxRuntime } from './onnx-runtime.ts'
import { createCudaRuntime, createOnnxCpuRuntime, createOnnxRuntime } from './runtime.ts'

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
const issueOf = async (run: () => unknown) => {
  try {
    await run()
  } catch (error) {
    expect(error).toBeInstanceOf(TensorError)
    return (error as TensorError).issue
  }
  return undefined
}

describe('kernels', () => {
  it('are compiled once for equal programs', async () => {
    const runtime = await createOnnxCpuRuntime()
    expect(await runtime.compile(program)).toBe(await runtime.compile(structuredClone(program) as Program))
    await runtime.close()
  })

  it('may be called again before they have finished', async () => {
    const runtime = await createOnnxCpuRuntime()
    const kernel = await runtime.compile(
      lower({ stores: [{ value: mul(uniform({ high: 1, low: 2 }), input(0)), dtype: 'F32' }] }, ['F32']).program,
    )
    const outputs = [new Uint8Array(40), new Uint8Array(40), new Uint8Array(40)]
    const elements = floats(...Array.from({ length: 10 }, () => 1))
    const calls = outputs.map((output, i) => ({ ...callOf(elements, output), scalars: [i, 2] }))
    await Promise.all(calls.map((call) => kernel.run(call)))
    const exact = await createReferenceRuntime().compile(
      lower({ stores: [{ value: mul(uniform({ high: 1, low: 2 }), input(0)), dtype: 'F32' }] }, ['F32']).program,
    )
    for (const call of calls) {
      const expected = new Uint8Array(40)
      await exact.run({ ...call, outputs: [expected] })
      expect(call.outputs[0]).toEqual(expected)
    }
    await runtime.close()
  })

  it('give the same in little memory, where calls are cut', async () => {
    const values = Float32Array.from({ length: 4000 }, (_, i) => Math.sin(i * i))
    const x = input(0)
    const results = async (memoryBytes: number) => {
      const runtime = await createOnnxCpuRuntime({ memoryBytes })
      const session = createArraySession({
        shape: [40, 100],
        inputs: [{ dtype: 'F32', bytes: new Uint8Array(values.buffer) }],
        runtime,
      })
      const rows = perRow(Float32Array.from({ length: 40 }, (_, i) => i))
      const { top } = await session.largest({ top: { value: mul(x, x), k: 123 } })
      const result = {
        ...(await session.reduce({
          rows: sum(gt(x, rows), 'row'),
          columns: max(x, 'column'),
          all: max(x),
          count: sum(gt(x, 0)),
        })),
        kept: await session.evaluate(select(top, add(x, rows), select(before(777), x, 0)), 'BF16'),
      }
      await runtime.close()
      return result
    }
    expect(await results(2000)).toEqual(await results(2 ** 30))
  })
})

describe('the runtime', () => {
  it('says how long calls had better be on a device only', async () => {
    expect(await createOnnxCpuRuntime()).not.toHaveProperty('preferredElements')
    expect(await createOnnxRuntime({ name: 'cpu' }, { preferredElements: 5 })).toMatchObject({
      name: 'onnx-cpu',
      preferredElements: 5,
    })
  })

  it('is unavailable without onnxruntime-node, in one line', async () => {
    const missing = () => Promise.reject(new Error("Cannot find package 'onnxruntime-node'"))
    for (const name of ['cpu', 'cuda'] as const) {
      const error = await createOnnxRuntime({ name, deviceId: 0 }, {}, missing).catch(
        (thrown: unknown) => thrown as TensorError,
      )
      expect(error).toMatchObject({ name: 'TensorError', code: 'runtime-unavailable' })
      expect((error as TensorError).message).toMatch(
        /^the (onnx-cpu|cuda) runtime cannot run here: the npm package onnxruntime-node cannot be loaded; install it with `npm install onnxruntime-node`, in a clone of mk with `npm run cuda`$/,
      )
    }
  })

  it('is unavailable where the CUDA provider fails, and never takes the CPU for it', async () => {
    const asked: unknown[] = []
    const library = {
      env: {},
      InferenceSession: {
        create: (_: Uint8Array, options: { executionProviders: unknown; extra: unknown }) => {
          asked.push(options.executionProviders, options.extra)
          return Promise.reject(
            new Error('OrtSessionOptionsAppendExecutionProvider_Cuda: \nFailed to load shared library'),
          )
        },
      },
    } as unknown as OnnxRuntime
    const error = await createOnnxRuntime({ name: 'cuda', deviceId: 1 }, {}, async () => library).catch(
      (thrown: unknown) => thrown as TensorError,
    )
    expect(asked).toEqual([[{ name: 'cuda', deviceId: 1 }], { session: { disable_cpu_ep_fallback: '1' } }])
    expect((error as TensorError).issue).toMatchObject({ code: 'runtime-unavailable', runtime: 'cuda' })
    expect((error as TensorError).message).toMatch(
      /no working cuda provider \(OrtSession.*: Failed to load shared library\); on Linux x64 with an NVIDIA GPU, CUDA 12 and cuDNN 9, fetch it with/,
    )
  })

  it('opens CUDA or says what is missing, on this very machine', async () => {
    const outcome = await createCudaRuntime().then(
      ({ name }) => name,
      (error: unknown) => (error as TensorError).code,
    )
    expect(['cuda', 'runtime-unavailable']).toContain(outcome)
  })

  it('rejects sizes that cannot be', async () => {
    for (const value of [0, -1, 1.5, NaN]) {
      expect(await issueOf(() => createOnnxCpuRuntime({ memoryBytes: value }))).toEqual({
        code: 'runtime-option',
        option: 'memoryBytes',
        value,
        expected: 'a whole number, 1 or more',
      })
      expect(await issueOf(() => createCudaRuntime({ preferredElements: value }))).toMatchObject({
        code: 'runtime-option',
        option: 'preferredElements',
      })
    }
  })

  it('says which program a provider cannot prepare', async () => {
    const { default: library } = (await import('onnxruntime-node')) as unknown as { default: OnnxRuntime }
    let sessions = 0
    const create: OnnxRuntime['InferenceSession']['create'] = (model, options) =>
      sessions++ === 0
        ? library.InferenceSession.create(model, options)
        : Promise.reject(new Error('no kernel for TopK'))
    const failing: OnnxRuntime = { ...library, Tensor: library.Tensor, env: library.env, InferenceSession: { create } }
    const runtime = await createOnnxRuntime({ name: 'cpu' }, {}, async () => failing)
    const error = await runtime.compile(program).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TensorError)
    expect(error).toMatchObject({ code: 'unsupported-program', issue: { runtime: 'onnx-cpu' } })
    expect((error as Error).message).toMatch(/no kernel for TopK/)
  })

  it('rejects use after close', async () => {
    const runtime = await createOnnxCpuRuntime()
    const kernel = await runtime.compile(program)
    await runtime.close()
    await runtime.close()
    expect(await issueOf(() => runtime.allocate(1))).toEqual({ code: 'runtime-closed' })
    expect(await issueOf(() => kernel.run(callOf(floats(1), new Uint8Array(4))))).toEqual({ code: 'runtime-closed' })
    expect(await issueOf(() => runtime.compile(program))).toEqual({ code: 'runtime-closed' })
  })

  it('rejects malformed programs and calls as the reference does', async () => {
    const runtime = await createOnnxCpuRuntime()
    await expect(runtime.compile({ ...program, inputs: [] })).rejects.toMatchObject({ code: 'malformed-program' })
    const kernel = await runtime.compile(program)
    await expect(kernel.run({ ...callOf(floats(1, 2), new Uint8Array(8)), elementCount: 3 })).rejects.toThrow(/input 0/)
    await runtime.close()
  })
})
