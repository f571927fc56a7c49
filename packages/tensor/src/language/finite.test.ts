import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { decode, encode } from '../numbers/dtypes.ts'
import { lower } from '../program/lower.ts'
import { createArraySession } from '../stages/array-session.ts'
import { finite, finiteStored, finiteThroughout } from './finite.ts'
import { abs, add, div, type Expression, gt, input, maximum, mul, neg, select, sqrt, sub } from './operations.ts'
import { count } from './reductions.ts'

const floats: readonly Dtype[] = ['F64', 'F32', 'F16', 'BF16', 'F8_E5M2', 'F8_E4M3']
const [a, b, c] = [input(0), input(1), input(2)] as const

const neighbors = (value: number): number[] => {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!
  return [-2, -1, 0, 1, 2].map((step) => new Float32Array(Uint32Array.of(bits + step).buffer)[0]!)
}

describe.each(floats)('finite as %s', (dtype) => {
  it.each([448, 464, 57344, 61440, 65504, 65520, 3.3895e38, 2 ** 128 - 2 ** 119, 2 ** 128 - 2 ** 104])(
    'is what is finite when it is stored, around %d',
    async (around) => {
      for (const number of neighbors(around).flatMap((x) => [x, -x])) {
        const value = Float32Array.of(number)
        const bytes = new Uint8Array(8)
        encode(dtype, value, bytes, 0)
        const stored = new Float32Array(1)
        decode(dtype, bytes, 0, stored)
        const session = createArraySession({
          shape: [1],
          inputs: [{ dtype: 'F32', bytes: new Uint8Array(value.buffer) }],
        })
        const { known } = await session.reduce({ known: count(finite(a, dtype)) })
        expect([number, known]).toEqual([number, Number(Number.isFinite(stored[0]!))])
      }
    },
  )
})

describe('finiteStored', () => {
  it.each(floats)('tells every pattern of %s, or of its upper half, apart', async (dtype) => {
    const size = dtypeBytes(dtype)
    const patterns = new Uint8Array(2 ** 16 * size)
    for (let i = 0; i < 2 ** 16; i++) {
      patterns[(i + 1) * size - 1] = i >> 8
      patterns[size === 1 ? i : (i + 1) * size - 2] = i
    }
    const values = new Float32Array(2 ** 16)
    decode(dtype, patterns, 0, values)
    const { readAs, isFinite } = finiteStored(0, dtype)
    const session = createArraySession({ shape: [2 ** 16], inputs: [{ dtype: readAs, bytes: patterns }] })
    const known = await session.evaluate(select(isFinite, 1, 0), 'U8')
    expect(known.findIndex((one, i) => one !== Number(Number.isFinite(values[i])))).toBe(-1)
  })
})

const expressions: readonly [string, Expression][] = [
  ['a sum', add(mul(a, 0), sub(b, neg(c)))],
  ['a choice', add(a, select(gt(b, 0), sub(b, a), 0))],
  ['a choice by another', select(gt(c, 0), a, mul(b, 2))],
  ['a quotient', div(a, add(1, abs(b)))],
  ['the larger', maximum(a, sqrt(abs(c)))],
  ['an input', b],
  ['none', select(gt(a, 0), 1, 2)],
]

describe('finiteThroughout', () => {
  it.each(expressions)('is true exactly where result and inputs are finite: %s', async (_, expression) => {
    const numbers = [1, -2, 0, Infinity, -Infinity, NaN, 3e38]
    const used = [0, 1, 2].filter((slot) => JSON.stringify(expression).includes(`"slot":${slot}`))
    const rows = numbers.flatMap((x) => numbers.flatMap((y) => numbers.map((z) => [x, y, z])))
    const wrong: unknown[] = []
    for (const row of rows) {
      const inputs = row.map((value) => ({
        dtype: 'F32' as const,
        bytes: new Uint8Array(Float32Array.of(value).buffer),
      }))
      const session = createArraySession({ shape: [1], inputs })
      const [value] = new Float32Array((await session.evaluate(expression, 'F32')).buffer)
      const { known } = await session.reduce({ known: count(finiteThroughout(expression, 'F32')) })
      const expected = Number.isFinite(value) && used.every((slot) => Number.isFinite(row[slot]!))
      // What is finite may count as not where its sum isn't.
      const sum = used.reduce((total, slot) => Math.fround(total + row[slot]!), 0)
      if ((Number.isFinite(sum) || !expected) && known !== Number(expected)) wrong.push({ row, known, expected })
    }
    expect(wrong).toEqual([])
  })

  it.each([undefined, null, 'x'])('leaves it to the compiler to refuse what is no expression (%s)', (operand) => {
    const value = add(a, operand as unknown as Expression)
    const known = count(finiteThroughout(value, 'F32'))
    expect(() => lower({ stores: [{ value, dtype: 'F32' }], reductions: [known] }, ['F32'])).toThrow(
      `add: got ${operand}, expected an expression`,
    )
  })
})
