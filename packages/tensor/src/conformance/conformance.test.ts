import { describe, expect, it } from 'vitest'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import type { KernelCall, KernelResult, Runtime } from '../runtime/runtime.ts'
import { type ConformanceCase, conformanceCases, type ConformanceOptions, runConformance } from './index.ts'

runConformance(createReferenceRuntime, { describe, it, expect })

/** What fails when `meddle` changes the results of the reference runtime. */
async function failures(
  meddle: (call: KernelCall, run: () => KernelResult) => KernelResult,
  options?: ConformanceOptions,
) {
  const tests: [string, () => Promise<void>][] = []
  const skipped: string[] = []
  const declare = Object.assign((name: string, body: () => Promise<void>) => void tests.push([name, body]), {
    skip: (name: string) => void skipped.push(name),
  })
  const runtime: Runtime = {
    ...createReferenceRuntime(),
    compile: async (program) => {
      const kernel = await createReferenceRuntime().compile(program)
      return { run: (call) => meddle(call, () => kernel.run(call) as KernelResult) }
    },
  }
  runConformance(
    () => runtime,
    { describe: (_, body) => body(), it: declare, expect },
    {
      skip: ['operation', 'dtype', 'random', 'reduction', 'histogram', 'rank', 'product'].map((cases) => ({
        cases,
        reason: 'not now',
      })),
      ...options,
    },
  )
  const failed: string[] = []
  for (const [name, body] of tests) await body().catch((error: unknown) => failed.push(`${name}: ${String(error)}`))
  return { failed, skipped }
}

describe('the suite', () => {
  it('passes what changes nothing', async () => {
    expect((await failures((_, run) => run())).failed).toEqual([])
  })

  it('notices one wrong bit', async () => {
    const { failed } = await failures((call, run) => {
      const results = run()
      if (call.elementCount === 1000) call.outputs[0]![7]! ^= 1
      return results
    })
    expect(failed.join()).toMatch(/length: bf16 of every length.*element 3 \(BF16\)/)
  })

  it('notices a wrong sum, a missing one, and one of another type', async () => {
    for (const wrong of [Float64Array.of(1e99), undefined, Uint32Array.of(0)]) {
      const { failed } = await failures((call, run) =>
        call.outputs.length === 1 && run().length === 1 ? (wrong ? [wrong] : []) : run(),
      )
      expect(failed.join()).toMatch(/length: bf16 of every length/)
    }
  })

  it('notices bytes written beside an output, and inputs written to', async () => {
    const beside = await failures((call, run) => {
      const results = run()
      for (const output of call.outputs) new Uint8Array(output.buffer)[output.byteOffset + output.byteLength] = 0
      return results
    })
    expect(beside.failed.join()).toMatch(/bytes beside a buffer/)
    const inputs = await failures((call, run) => {
      const results = run()
      call.inputs[0]?.fill(0)
      return results
    })
    expect(inputs.failed.join()).toMatch(/an input was changed/)
  })

  it('lets a tolerance pass what is within it', async () => {
    const slightly = (call: KernelCall, run: () => KernelResult) => {
      const results = run()
      if (call.outputs.length === 1 && results.length === 1) results[0]![0]! *= 1 + 1e-9
      return results
    }
    expect((await failures(slightly)).failed).not.toEqual([])
    expect((await failures(slightly, { tolerance: { absolute: 0, relative: 1e-6 } })).failed).toEqual([])
  })

  it('lets zeros have any sign, where that is said', async () => {
    const flipZeros = (call: KernelCall, run: () => KernelResult) => {
      const results = run()
      const output = call.outputs[0]
      if (output?.byteLength !== 4 * 37) return results
      const words = new DataView(output.buffer, output.byteOffset, output.byteLength)
      for (let i = 0; i < 37; i++) if (words.getFloat32(4 * i, true) === 0) output[4 * i + 3]! ^= 0x80
      return results
    }
    const skip = ['dtype', 'random', 'reduction', 'histogram', 'rank', 'product'].map((cases) => ({
      cases,
      reason: 'not now',
    }))
    expect((await failures(flipZeros, { skip })).failed.join()).toMatch(/scalars are rounded.*element \d+ \(F32\)/)
    expect((await failures(flipZeros, { skip, anyZeroSign: true })).failed).toEqual([])
  })

  it('skips with a reason, and only what exists', async () => {
    expect((await failures((_, run) => run())).skipped).toContain('rank: rows of 7 (not now)')
    expect(() =>
      runConformance(
        createReferenceRuntime,
        { describe, it, expect },
        { skip: [{ cases: 'rank: rows of 8', reason: 'typo' }] },
      ),
    ).toThrow(/no conformance case or group 'rank: rows of 8'/)
  })

  it('skips what a predicate tells, and refuses one that tells nothing', async () => {
    const options = {
      skip: [{ cases: ({ program }: ConformanceCase) => program.vectors.length > 0, reason: 'no vectors' }],
    }
    const names: string[] = []
    const framework = {
      describe: (_: string, body: () => void) => body(),
      it: Object.assign(() => {}, { skip: (name: string) => void names.push(name) }),
      expect,
    }
    runConformance(createReferenceRuntime, framework, options)
    expect(names).toContain('vector: rows and columns of 7 (no vectors)')
    expect(names.length).toBe(conformanceCases().filter(({ program }) => program.vectors.length > 0).length)
    expect(() =>
      runConformance(createReferenceRuntime, framework, { skip: [{ cases: () => false, reason: 'nothing' }] }),
    ).toThrow(/no conformance case that is meant \(nothing\)/)
  })

  it('names each case once', () => {
    const names = conformanceCases().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
