import { abs, add, and, count, type Expression, input, le, type Mask, mul, sum } from '@mk/tensor'
import { finiteThroughout, type KernelResult, lower, type LowerRequest } from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import { noFacts, usefulFacts } from './generator/call-facts.ts'
import { generateModule } from './generator/generate-module.ts'
import { createRuntimeThatSpecializes } from './runtime.ts'

const value = add(mul(input(0), 0.5), mul(input(1), 2))
const counting = (mask: Mask, stored: Expression = value): LowerRequest => ({
  stores: [{ value: stored, dtype: 'BF16' }],
  reductions: [count(mask)],
})
const requests: Readonly<Record<string, LowerRequest>> = {
  'a value that is stored': counting(finiteThroughout(value, 'BF16')),
  "a value and inputs that don't show in it": counting(
    and(finiteThroughout(input(1), 'F32'), finiteThroughout(value, 'BF16')),
  ),
  'another value than what is stored': counting(finiteThroughout(input(0), 'F32')),
  'a smaller limit': counting(le(abs(value), 3)),
  'a limit that is no number': counting(le(abs(value), NaN)),
  'a limit that is infinite': counting(le(abs(value), Infinity)),
  'values and no store': { reductions: [count(le(abs(value), 3)), count(finiteThroughout(input(1), 'F32'))] },
  'values and a sum': {
    ...counting(finiteThroughout(value, 'BF16')),
    reductions: [sum(value), count(le(abs(value), 3))],
  },
}

/** Bits that are rounded to zero where nobody looks for NaN. */
const largestNaN = new Float32Array(new Uint32Array([0x7fffffff, 0xffffffff]).buffer)
const lengths = [1, 16, 29]

/** Tensors of small numbers, and such that have something else at one place. */
const contents = (elementCount: number) =>
  [undefined, 3.5, -7, Infinity, -Infinity, NaN, 3.4e38, 0, 1].map((special, kind) => {
    const values = Float32Array.from({ length: elementCount }, (_, i) => ((i * 7) % 11) / 8 - 0.5)
    const at = (kind * 5) % elementCount
    // As bits: a number of JavaScript's may lose them.
    if (kind >= 7) new Uint32Array(values.buffer).set(new Uint32Array(largestNaN.buffer, 4 * special!, 1), at)
    else if (special !== undefined) values[at] = special
    return new Uint8Array(values.buffer)
  })

const copyOf = (result: KernelResult) => result.map((values) => [...values])

it.each(Object.entries(requests))(
  'counts and stores the same, whether all is within limits or not: %s',
  async (_, request) => {
    const { program, scalars, vectors } = lower(request, ['F32', 'F32'])
    const [general, taking] = await Promise.all(
      [Infinity, 1].map((fewest) => createRuntimeThatSpecializes({ memoryBytes: 2 ** 20 }, fewest).compile(program)),
    )
    for (const elementCount of lengths) {
      const tensors = contents(elementCount)
      // After one that is within limits and after one that isn't, in either slot.
      for (const inputs of tensors.flatMap((tensor) => [
        [tensors[0]!, tensor],
        [tensor, tensors[0]!],
        [tensor, tensor],
      ])) {
        const [expected, found] = [new Uint8Array(2 * elementCount), new Uint8Array(2 * elementCount)]
        const call = { elementCount, offset: 0, columns: elementCount, inputs, scalars, vectors }
        const results = copyOf(await general!.run({ ...call, outputs: [expected] }))
        expect(copyOf(await taking!.run({ ...call, outputs: [found] }))).toEqual(results)
        expect(found).toEqual(expected)
      }
    }
  },
)

it('takes values to be within limits only where another run sets all that the first one gave', () => {
  const within = count(le(abs(value), 3))
  const countsOf = (request: LowerRequest) => usefulFacts(lower(request, ['F32', 'F32']).program).counts
  expect(countsOf({ reductions: [within] })).toEqual([0])
  expect(countsOf({ stores: [{ value, dtype: 'F32' }], reductions: [sum(value), within] })).toEqual([2])
  expect(countsOf({ reductions: [within, sum(value, 'column')] })).toEqual([])
  expect(countsOf({ reductions: [within, sum(value, 'row')] })).toEqual([])
  expect(countsOf({ reductions: [count(le(value, 3))] })).toEqual([])
})

it('makes shorter code of what is taken to be within limits', () => {
  const { program } = lower(requests['a value that is stored']!, ['BF16', 'BF16'])
  const size = (facts = noFacts) => generateModule(program, 16, facts).length
  expect(size({ ...noFacts, within: true })).toBeLessThan(0.95 * size())
})
