import {
  abs,
  add,
  count,
  type Expression,
  input,
  lt,
  type Mask,
  mul,
  not,
  rank,
  select,
  sub,
  sum,
  uniform,
} from '@mk/tensor'
import { createDice } from '@mk/tensor/conformance'
import { createReferenceRuntime, lower, uniformAt } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import { findDifference } from './__fixtures__/compare.ts'
import { keptByRank } from './generator/analyze-program.ts'
import { createRuntimeThatSpecializes } from './runtime.ts'

const key = { high: 3, low: 5 }
const delta = sub(input(1), input(0))
const kept = (from: number, step: number, value: Expression = abs(delta)): Mask =>
  lt(uniform(key), add(from, mul(rank(value), step)))

const reference = createReferenceRuntime()
const runtimes = [1, Infinity].map((elements) => createRuntimeThatSpecializes({ memoryBytes: 2 ** 25 }, elements))

interface Rows {
  readonly columns: number
  readonly masks: readonly Mask[]
  readonly rows?: number
  readonly offset?: number
}

/** Compares what stays of the differences between two inputs with the reference, in a few rows, for each mask by itself. */
async function differenceOf(values: Float32Array, { columns, masks, rows = 3, offset = 2 * columns }: Rows) {
  for (const mask of masks) {
    const { program, scalars, vectors } = lower(
      {
        stores: [{ value: select(mask, delta, 0), dtype: 'F32' }],
        reductions: [sum(abs(delta)), sum(select(mask, abs(delta), 0)), count(not(mask))],
      },
      ['F32', 'F32'],
    )
    expect(keptByRank(program).length).toBe(1)
    const elementCount = rows * columns
    const bytes = () => new Uint8Array(4 * elementCount)
    const inputs = [bytes(), new Uint8Array(values.buffer, 0, 4 * elementCount)]
    const call = { elementCount, offset, columns, inputs, scalars, vectors, outputs: [bytes()] }
    const runtime = runtimes[turn++ % 2]!
    const difference = await findDifference(program, call, reference, runtime)
    if (difference !== undefined) return `${columns} columns: ${difference}`
  }
  return undefined
}
let turn = 0

const dice = createDice(7)
const random = Float32Array.from({ length: 2 ** 16 }, () => dice.below(2 ** 24) / 2 ** 24 - 0.5)
const at = (i: number): number => random[(i * 40503) % random.length]!
const valuesOf = (count: number, valueAt: (i: number) => number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => valueAt(i))
/** From `low` for the first rank to `high` for the last. */
const between = (low: number, high: number, columns: number): Mask => kept(low, (high - low) / Math.max(columns - 1, 1))

describe('masks by rank', () => {
  it.each<[string, (i: number) => number]>([
    ['different', at],
    ['of few sizes', (i) => Math.round(at(i) * 12) / 4096],
    ['of few sizes, and others beside them', (i) => (i % 16 === 3 ? at(i) : Math.round(at(i) * 12) / 16)],
    ['mostly zeros of both signs', (i) => [0, -0, 0, at(i)][i % 4]!],
    ['equal', () => -0.1],
    ['zero in the first row', (i) => (i < 2047 ? 0 : at(i))],
    ['not finite here and there', (i) => [at(i), NaN, Infinity, -Infinity][i % 97] ?? at(i + 1)],
    ['not numbers', () => NaN],
    ['subnormal', (i) => Math.round(at(i) * 4000) * 2 ** -149],
    ['of all sizes', (i) => 2 ** (Math.round(at(i) * 276) - 11)],
    ['alike in their leading bits', (i) => 1 + ((i * 1789) % 4001) * 2 ** -23],
    ['two that are nearly alike, and others', (i) => (i % 8 === 0 ? 1 + (1 + ((i >> 3) % 3)) * 2 ** -20 : at(i))],
    ['small, but for one', (i) => (i % 700 === 7 ? 1e30 : at(i))],
    ['a thousand times larger in each row', (i) => at(i) * 1000 ** Math.floor(i / 600)],
    ['a thousand times smaller in each row', (i) => at(i) / 1000 ** Math.floor(i / 600)],
  ])('of rows whose values are %s are those of the reference', async (_, valueAt) => {
    const values = valuesOf(3 * 2048, valueAt)
    for (const columns of [1, 5, 511, 512, 601, 2048]) {
      const masks = [between(0.35, 0.65, columns), between(0.002, 0.999, columns)]
      expect(await differenceOf(values, { columns, masks })).toBeUndefined()
    }
  })

  it('of rows of any bits are those of the reference', async () => {
    const bits = Uint32Array.from({ length: 3 * 1500 }, () => dice.below(2 ** 32))
    for (const columns of [512, 1500]) {
      const masks = [between(0.1, 0.9, columns)]
      expect(await differenceOf(new Float32Array(bits.buffer), { columns, masks })).toBeUndefined()
    }
  })

  it.each([
    ['the same for all', 0.5, 0],
    ['less for larger ones', 0.8, -0.6],
    ['below 0 and above 1', -0.5, 2],
    ['up to 1, and no further', 0, 1],
    ['nearly 1', 0.99998, 0.00001],
    ['never reached', -2, 1],
    ['always reached', 1, 0.5],
    ['not a number', NaN, 0.1],
    ['infinite', 0.1, Infinity],
    ['infinite the other way', Infinity, -Infinity],
    ['beyond all numbers', -3e38, 3.4e38 * 1024],
  ])('whose share is %s are those of the reference', async (_, from, range) => {
    const columns = 1024
    const masks = [kept(from, range / columns), kept(from, range)]
    expect(await differenceOf(valuesOf(3 * columns, at), { columns, masks })).toBeUndefined()
  })

  it('of rows as long as counters reach, and longer, are those of the reference', async () => {
    for (const columns of [2 ** 16 - 1, 2 ** 16 + 40]) {
      const masks = [between(0.35, 0.65, columns)]
      const values = valuesOf(columns, (i) => Math.round(at(i) * 400))
      expect(await differenceOf(values, { columns, masks, rows: 1 })).toBeUndefined()
    }
  })

  it('are exact where a share is what was drawn, or next to it', async () => {
    const columns = 512
    const values = valuesOf(columns, at)
    let nearOne = 0
    while (uniformAt(key, nearOne) < 1 - 2 ** -17) nearOne++
    for (const index of [700, 5000, nearOne]) {
      const offset = index - (index % columns)
      const masks = [-1, 0, 1, 2].map((units) => kept(uniformAt(key, index) + units * 2 ** -24, 0))
      expect(await differenceOf(values, { columns, masks, rows: 1, offset })).toBeUndefined()
    }
  })

  it('past the 2^32nd element of a tensor are those of the reference', async () => {
    const columns = 1031
    const offset = columns * (Math.floor(2 ** 32 / columns) - 1)
    const masks = [between(0.35, 0.65, columns)]
    expect(await differenceOf(valuesOf(3 * columns, at), { columns, masks, offset })).toBeUndefined()
  })

  it('of rows of few sizes that are nearly alike are those of the reference', async () => {
    const columns = 512
    for (let round = 0; round < 40; round++) {
      const values = valuesOf(3 * columns, () => 1 + (1 + dice.below(3)) * 2 ** -20)
      expect(await differenceOf(values, { columns, masks: [between(0.5, 0.54, columns)] })).toBeUndefined()
    }
  })

  it('are those of the reference, whatever chance makes of rows and shares', async () => {
    for (let round = 0; round < 40; round++) {
      const columns = 480 + dice.below(1200)
      const size = 10 ** (dice.below(40) - 20)
      const grain = 2 ** (dice.below(14) - 2)
      const skew = 1 + dice.below(5)
      const values = valuesOf(3 * columns, (i) => (Math.round(at(i + round) ** skew * grain * 8) / grain) * size)
      const masks = [0, 1].map(() => kept(dice.below(100) / 100, (dice.below(200) - 100) / 100 / columns))
      expect(await differenceOf(values, { columns, masks })).toBeUndefined()
    }
  })
})

it('two masks by rank, one row after the other, are those of the reference', async () => {
  const columns = 700
  const models = [input(0), input(1)].map((model) => sub(model, input(2)))
  const masks = models.map((model, i) =>
    lt(uniform({ high: i, low: 9 }), add(0.4, mul(rank(abs(model)), 0.3 / columns))),
  )
  const stores = masks.map((mask, i) => ({ value: select(mask, models[i]!, 0), dtype: 'BF16' as const }))
  const { program, scalars, vectors } = lower({ stores, reductions: masks.map((mask) => count(mask)) }, [
    'F32',
    'F32',
    'F32',
  ])
  expect(keptByRank(program).length).toBe(2)
  const elementCount = 4 * columns
  const inputs = [1, 5, 40].map(
    (scale) => new Uint8Array(valuesOf(elementCount, (i) => Math.round(at(scale * i) * 20)).buffer),
  )
  const outputs = stores.map(() => new Uint8Array(2 * elementCount))
  const call = { elementCount, offset: 0, columns, inputs, scalars, vectors, outputs }
  for (const runtime of runtimes) expect(await findDifference(program, call, reference, runtime)).toBeUndefined()
})

describe('the pattern of a mask by rank', () => {
  const found = (...masks: Mask[]): number => {
    const stores = masks.map((mask) => ({ value: select(mask, delta, 0), dtype: 'F32' as const }))
    return keptByRank(lower({ stores }, ['F32', 'F32']).program).length
  }

  it('is found where ranks of magnitudes only make a limit for what is drawn', () => {
    const ranks = rank(abs(delta))
    expect(found(kept(0.4, 0.1))).toBe(1)
    expect(found(kept(0.4, 0.1), kept(0.4, 0.1, abs(input(0))))).toBe(2)
    expect(found(lt(uniform(key), add(mul(0.1, ranks), 0.4)))).toBe(1)
    expect(found(kept(0.4, 0.1, delta))).toBe(0)
    expect(found(lt(input(0), add(mul(0.1, ranks), 0.4)))).toBe(0)
    expect(found(lt(uniform(key), add(mul(input(0), ranks), 0.4)))).toBe(0)
    expect(found(lt(uniform(key), add(mul(0.1, ranks), input(0))))).toBe(0)
    expect(found(lt(uniform(key), mul(0.1, ranks)))).toBe(0)
  })

  it('is none where something else takes the ranks, too', () => {
    const ranks = rank(abs(delta))
    const scaled = mul(ranks, 0.1)
    const limit = add(0.4, scaled)
    const mask = lt(uniform(key), limit)
    for (const other of [ranks, scaled, limit]) {
      const stores = [select(mask, delta, 0), other].map((value) => ({ value, dtype: 'F32' as const }))
      expect(keptByRank(lower({ stores }, ['F32', 'F32']).program)).toEqual([])
    }
    expect(found(mask, not(mask))).toBe(1)
  })
})
