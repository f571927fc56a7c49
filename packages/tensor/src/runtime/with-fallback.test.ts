import { describe, expect, it } from 'vitest'
import { TensorError } from '../errors.ts'
import { input, mul, rank } from '../language/operations.ts'
import { lower } from '../program/lower.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import { createRuntimeShell } from './create-runtime-shell.ts'
import type { Runtime } from './runtime.ts'
import { withFallback } from './with-fallback.ts'

const { program: doubling } = lower({ stores: [{ value: mul(input(0), 2), dtype: 'F32' }] }, ['F32'])
const { program: ranking } = lower({ stores: [{ value: rank(input(0)), dtype: 'F32' }] }, ['F32'])

/** A runtime that throws for ranks, and says what was called. */
function withoutRanks(
  error: Error = new TensorError({ code: 'unsupported-program', runtime: 'simple', what: 'rank' }),
) {
  const calls: string[] = []
  const runtime: Runtime = {
    ...createReferenceRuntime(),
    name: 'simple',
    preferredElements: 7,
    async compile(program) {
      if (program === ranking) throw error
      calls.push('compile')
      return createReferenceRuntime().compile(program)
    },
    async close() {
      calls.push('close')
    },
  }
  return { runtime, calls }
}

describe('a runtime with a fallback', () => {
  it('compiles what the primary can, and leaves it the rest', async () => {
    const [primary, fallback, reasons] = [withoutRanks(), createReferenceRuntime(), [] as Error[]]
    const runtime = withFallback(primary.runtime, fallback, (reason) => reasons.push(reason))
    await runtime.compile(doubling)
    expect(primary.calls).toEqual(['compile'])
    expect(reasons).toEqual([])
    const output = new Uint8Array(12)
    const kernel = await runtime.compile(ranking)
    await kernel.run({
      elementCount: 3,
      offset: 0,
      columns: 3,
      inputs: [new Uint8Array(Float32Array.of(3, 1, 2).buffer)],
      scalars: [],
      vectors: [],
      outputs: [output],
    })
    expect(new Float32Array(output.buffer)).toEqual(Float32Array.of(2, 0, 1))
    expect(reasons.map(({ message }) => message)).toEqual(['runtime simple does not support rank'])
  })

  it('leaves products to the fallback where the primary has none', async () => {
    const f32 = { dtype: 'F32', transposed: false } as const
    const product = { left: f32, right: f32, result: 'F32' } as const
    const reasons: Error[] = []
    const primary = createRuntimeShell({ name: 'simple', compile: async () => ({ run: () => [] }) })
    const runtime = withFallback(primary, createReferenceRuntime(), (reason) => reasons.push(reason))
    const bytes = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
    const into = new Uint8Array(4)
    const kernel = await runtime.compileProduct(product)
    await kernel.run({ rows: 1, columns: 1, depth: 2, left: bytes(2, 3), right: bytes(5, 7), into })
    expect(new Float32Array(into.buffer)[0]).toBe(31)
    expect(reasons.map(({ message }) => message)).toEqual(['runtime simple does not support matrix products'])
  })

  it('is the primary otherwise, and closes both', async () => {
    const [primary, fallback] = [withoutRanks(), withoutRanks()]
    const runtime = withFallback(primary.runtime, fallback.runtime)
    expect(runtime).toMatchObject({ name: 'simple', preferredElements: 7 })
    await runtime.close()
    expect([...primary.calls, ...fallback.calls]).toEqual(['close', 'close'])
  })

  it('hides no other error, and none of the fallback', async () => {
    const broken = new Error('the device is gone')
    await expect(withFallback(withoutRanks(broken).runtime, createReferenceRuntime()).compile(ranking)).rejects.toBe(
      broken,
    )
    await expect(withFallback(withoutRanks().runtime, withoutRanks().runtime).compile(ranking)).rejects.toMatchObject({
      code: 'unsupported-program',
    })
    await expect(
      withFallback(withoutRanks().runtime, createReferenceRuntime()).compile({ ...doubling, inputs: [] }),
    ).rejects.toMatchObject({ code: 'malformed-program' })
  })
})
