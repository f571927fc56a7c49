import { type Program, createReferenceRuntime, lower } from '@mk/tensor/runtime'
import { abs, and, before, count, eq, input, lt, maximum, minimum, not, select, sum, uniform } from '@mk/tensor'
import { expect, it } from 'vitest'
import { findDifference } from './__fixtures__/compare.ts'
import { noFacts, usefulFacts } from './generator/call-facts.ts'
import { generateModule } from './generator/generate-module.ts'
import { createRuntimeThatSpecializes } from './runtime.ts'

const elementCount = 29
const stored = Float32Array.from({ length: elementCount }, (_, i) => (i % 7 === 3 ? NaN : i % 5 === 0 ? -0 : i - 11.5))
const bytes = new Uint8Array(stored.buffer)
const outputs = [4, 2, 4, 4, 4, 4].map((size) => new Uint8Array(size * elementCount))
const key = { high: 3, low: 5 }
const x = input(0)
const small = lt(x, 2)

const lowered = (first: number, second: number, end: number) =>
  lower(
    {
      stores: [
        { value: select(small, x, first), dtype: 'F32' },
        { value: select(not(small), second, x), dtype: 'BF16' },
        { value: select(not(before(end)), first, second), dtype: 'F32' },
        { value: select(lt(uniform(key), 0.5), x, first), dtype: 'F32' },
        { value: maximum(x, first), dtype: 'F32' },
        { value: minimum(second, x), dtype: 'F32' },
      ],
      reductions: [
        count(and(small, not(before(end)))),
        count(and(not(small), not(before(end)))),
        count(and(not(before(end)), small)),
        sum(select(small, first, x), 'row'),
        sum(x, 'row'),
        sum(select(small, x, first), 'row'),
        sum(abs(x)),
        sum(select(not(small), abs(x), first)),
        sum(select(not(not(before(end))), abs(x), first)),
        count(not(small)),
        count(not(small), 'row'),
        count(not(not(small))),
        count(and(not(not(not(small))), not(eq(x, 3.5)))),
        count(not(before(end))),
      ],
    },
    ['F32'],
  )

it('gives the same, whatever of a call is known', async () => {
  const [reference, wasm] = [createReferenceRuntime(), createRuntimeThatSpecializes({ memoryBytes: 2 ** 20 }, 1)]
  for (const first of [0, -0, 1e-60, 3])
    for (const second of [0, -0, -2, NaN])
      for (const end of [0, 5, 2 ** 32 + 7, 2 ** 33])
        for (const offset of [0, elementCount * 2, 2 ** 32 - 6, 2 ** 32]) {
          const { program, scalars, vectors } = lowered(first, second, end)
          const call = { elementCount, offset, columns: 2 ** 40, inputs: [bytes], scalars, vectors, outputs }
          const difference = await findDifference(program, call, reference, wasm)
          expect(difference && `${first} ${second} ${end} ${offset}: ${difference}`).toBeUndefined()
        }
})

it('makes shorter code of what is known, and none where nothing would be', () => {
  const { program } = lowered(0, 1, 5)
  const { slots, ...flags } = usefulFacts(program)
  expect(flags).toEqual({
    limits: [expect.any(Number)],
    bounds: [expect.any(Number), expect.any(Number)],
    counts: [],
    uncut: true,
    sameHigh: true,
  })
  const size = (of: Program, facts = noFacts) => generateModule(of, 16, facts).length
  const facts = { ...noFacts, zeros: new Set(slots), uncut: true, sameHigh: true, ordered: true }
  expect(size(program, facts)).toBeLessThan(0.95 * size(program))
  const plain = lower({ reductions: [count(small)] }, ['F32']).program
  expect(usefulFacts(plain)).toEqual({ slots: [], limits: [], bounds: [], counts: [], uncut: false, sameHigh: false })
})
