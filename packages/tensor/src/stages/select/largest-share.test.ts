import { describe, expect, it } from 'vitest'
import { abs, gt, input, mul, select } from '../../language/operations.ts'
import { count, sum } from '../../language/reductions.ts'
import { createReferenceRuntime } from '../../reference/reference-runtime.ts'
import { createArraySession } from '../array-session.ts'
import type { Mask } from '../../language/operations.ts'
import type { Program } from '../../program/program.ts'

/** Each row is a chunk, since two would be too long. */
const [chunks, columns] = [5, 66_000]
const length = chunks * columns
const value = abs(input(0))
const summed = (mask: Mask) => [select(mask, input(0), 0), mul(select(mask, value, 0), value)]

/** A session that notes which elements each call covers. */
function sessionOf(values: Float32Array) {
  const reference = createReferenceRuntime()
  const calls: [offset: number, elements: number][] = []
  const compile = async (program: Program) => {
    const kernel = await reference.compile(program)
    return {
      run: (call: Parameters<typeof kernel.run>[0]) => {
        calls.push([call.offset, call.elementCount])
        return kernel.run(call)
      },
    }
  }
  const session = createArraySession({
    shape: values.length === length ? [chunks, columns] : [values.length],
    inputs: [{ dtype: 'F32', bytes: new Uint8Array(values.buffer) }],
    runtime: { ...reference, compile },
  })
  return { session, calls }
}

/** The same in as many passes as there are questions. */
async function oneByOne(values: Float32Array, share: number) {
  const { session } = sessionOf(values)
  const { positive } = await session.reduce({ positive: count(gt(value, 0), 'tensor') })
  const { mask } = await session.largest({ mask: { value, k: Math.trunc(positive * share) } })
  const [a, b] = summed(mask)
  const { first, second } = await session.reduce({ first: sum(a!, 'tensor'), second: sum(b!, 'tensor') })
  return { sums: [first, second], mask: await session.evaluate(select(mask, 1, 0), 'U8') }
}

const few = (i: number) => ((((i * 7919) % 1009) % 16) - 5) * 0.0123
const cases: readonly [string, number, (i: number) => number, mostCalls: number][] = [
  // Two calls for the sample, one for each chunk, one to find where ties end, and at most three chunks anew.
  ['common values', 0.3, few, 2 + chunks + 1 + 3],
  ['equal values that stand at the end', 0.5, (i) => (i < length / 2 ? 3 + few(i) : few(i) > 0 ? 1 : 0.5), Infinity],
  ['nothing that is equal', 0.4, (i) => Math.sin(i), Infinity],
  ['a sample that misleads', 0.9, (i) => (i > length - columns / 2 ? 2 + i / length : few(i)), Infinity],
  ['what is not finite', 0.3, (i) => (i % 1000 === 3 ? NaN : i % 1000 === 4 ? -Infinity : few(i)), Infinity],
]

describe('a share of the largest, and what it adds up to', () => {
  it.each(cases)('is the same as step by step: %s', async (_, share, valueOf, mostCalls) => {
    const values = Float32Array.from({ length }, (_, i) => valueOf(i))
    const { session, calls: made } = sessionOf(values)
    const { mask, sums } = await session.largestShare({ value, share }, summed)
    expect(made.length).toBeLessThanOrEqual(mostCalls)
    const expected = await oneByOne(values, share)
    expect(sums).toEqual(expected.sums)
    expect(Buffer.compare(await session.evaluate(select(mask, 1, 0), 'U8'), expected.mask)).toBe(0)
  })

  it.each([
    ['values', 0.3, few],
    ['zeros', 0.9, () => 0],
    ['values, of which none is asked for', 0, few],
  ])('is the same of tensors too small for a sample: %s', async (_, share, valueOf) => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => valueOf(i))
    const { session } = sessionOf(values)
    const { mask, sums } = await session.largestShare({ value, share }, summed)
    const expected = await oneByOne(values, share)
    expect(sums).toEqual(expected.sums)
    expect(await session.evaluate(select(mask, 1, 0), 'U8')).toEqual(expected.mask)
  })
})
