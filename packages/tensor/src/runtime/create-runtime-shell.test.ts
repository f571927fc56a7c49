import { describe, expect, it } from 'vitest'
import { input, neg } from '../language/operations.ts'
import { lower } from '../program/lower.ts'
import type { Product, ProductCall } from '../product/product.ts'
import type { Program } from '../program/program.ts'
import { createRuntimeShell, type RuntimeParts } from './create-runtime-shell.ts'
import type { KernelCall } from './runtime.ts'

const { program, scalars, vectors } = lower({ stores: [{ value: neg(input(0)), dtype: 'F32' }] }, ['F32'])
const call: KernelCall = {
  elementCount: 1,
  offset: 0,
  columns: 1,
  inputs: [new Uint8Array(4)],
  scalars,
  vectors,
  outputs: [new Uint8Array(4)],
}

/** A runtime whose calls take a while, and what happened in it. */
function logged(parts: Partial<RuntimeParts> = {}) {
  const log: string[] = []
  const later = () => new Promise((resolve) => setTimeout(resolve, 1))
  const runtime = createRuntimeShell({
    name: 'logged',
    async compile() {
      log.push('compile')
      return {
        async run() {
          log.push('start')
          await later()
          log.push('end')
          return []
        },
      }
    },
    close: async () => void log.push('close'),
    ...parts,
  })
  return { runtime, log }
}

describe('a runtime in the shell', () => {
  it('compiles equal programs once', async () => {
    const { runtime, log } = logged()
    const kernels = await Promise.all([runtime.compile(program), runtime.compile(structuredClone(program) as Program)])
    expect(kernels[0]).toBe(kernels[1])
    expect(log).toEqual(['compile'])
  })

  it('runs calls one after the other where it must, and closes after them', async () => {
    const { runtime, log } = logged({ inTurns: true })
    const kernel = await runtime.compile(program)
    const calls = [kernel.run(call), kernel.run(call)]
    await runtime.close()
    await Promise.all(calls)
    expect(log).toEqual(['compile', 'start', 'end', 'start', 'end', 'close'])
  })

  it('goes on after a call that failed', async () => {
    let calls = 0
    const { runtime } = logged({
      inTurns: true,
      compile: async () => ({ run: () => (calls++ === 0 ? Promise.reject(new Error('lost')) : []) }),
    })
    const kernel = await runtime.compile(program)
    await expect(kernel.run(call)).rejects.toThrow('lost')
    expect(await kernel.run(call)).toEqual([])
  })

  it('runs calls at once where they need not wait', async () => {
    const { runtime } = logged({ compile: async () => ({ run: () => [Float64Array.of(1)] }) })
    expect((await runtime.compile(program)).run(call)).toEqual([Float64Array.of(1)])
  })

  it('refuses programs and calls that do not fit', async () => {
    const { runtime, log } = logged()
    await expect(runtime.compile({ ...program, inputs: [] })).rejects.toMatchObject({ code: 'malformed-program' })
    expect(log).toEqual([])
    const kernel = await runtime.compile(program)
    expect(() => kernel.run({ ...call, elementCount: 2 })).toThrow('input 0 (F32) has 4 bytes, expected 8')
  })

  it('refuses everything after it has been closed, which is done once', async () => {
    const { runtime, log } = logged()
    const kernel = await runtime.compile(program)
    await runtime.close()
    await runtime.close()
    expect(log).toEqual(['compile', 'close'])
    expect(() => runtime.allocate(1)).toThrow('the runtime has been closed')
    expect(() => kernel.run(call)).toThrow('the runtime has been closed')
    await expect(runtime.compile(program)).rejects.toMatchObject({ code: 'runtime-closed', fault: 'failure' })
  })

  it('prepares equal products once, and checks their calls', async () => {
    const calls: ProductCall[] = []
    const { runtime } = logged({ compileProduct: async () => ({ run: (made) => void calls.push(made) }) })
    const f32 = { dtype: 'F32', transposed: false } as const
    const product: Product = { left: f32, right: { dtype: 'BF16', transposed: true }, result: 'F32' }
    const kernel = await runtime.compileProduct(product)
    expect(await runtime.compileProduct(structuredClone(product) as Product)).toBe(kernel)
    expect(await runtime.compileProduct({ ...product, result: 'F64' })).not.toBe(kernel)

    const bytes = (count: number) => new Uint8Array(count)
    const fits = { rows: 2, columns: 3, depth: 5, left: bytes(40), right: bytes(30), into: bytes(24) }
    await kernel.run(fits)
    expect(calls).toEqual([fits])
    const wrong: [Partial<ProductCall>, string][] = [
      [{ rows: -1 }, 'rows is -1'],
      [{ depth: 0.5 }, 'depth is 0.5'],
      [{ left: bytes(39) }, 'left (F32) has 39 bytes, expected 40'],
      [{ right: bytes(29) }, 'right (BF16) has 29 bytes, expected 30'],
      [{ into: bytes(23) }, 'into (F32) has 23 bytes, expected 24'],
      [{ leftStride: 4 }, 'left has rows of 5 elements, but a stride of 4'],
      [{ rightStride: 6 }, 'right (BF16) has 30 bytes, expected 34'],
      [{ add: true }, 'sums go on only in a result of F64'],
    ]
    for (const [change, problem] of wrong)
      expect(() => kernel.run({ ...fits, ...change })).toThrow(`kernel call: ${problem}`)
    await runtime.close()
    expect(() => kernel.run(fits)).toThrow('the runtime has been closed')
    await expect(runtime.compileProduct(product)).rejects.toMatchObject({ code: 'runtime-closed' })
  })

  it('has no products where none are given', async () => {
    const f32 = { dtype: 'F32', transposed: false } as const
    await expect(logged().runtime.compileProduct({ left: f32, right: f32, result: 'F32' })).rejects.toMatchObject({
      code: 'unsupported-program',
      message: 'runtime logged does not support matrix products',
    })
  })

  it('allocates ordinary buffers unless it has its own', () => {
    const own = new Uint8Array(3)
    expect(logged().runtime.allocate(5)).toEqual(new Uint8Array(5))
    expect(logged({ allocate: () => own }).runtime.allocate(3)).toBe(own)
  })
})
