import { describe, expect, it } from 'vitest'
import { decode, encode } from '../numbers/dtypes.ts'
import {
  abs,
  add,
  perColumn,
  div,
  eq,
  exp,
  type Expression,
  gt,
  input,
  le,
  log,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  rank,
  perRow,
  select,
  sqrt,
  sub,
  uniform,
} from '../language/operations.ts'
import { lower } from '../program/lower.ts'
import type { LowerRequest } from '../program/lower-request.ts'
import type { Program } from '../program/program.ts'
import { uniformAt } from '../numbers/random.ts'
import { createReferenceRuntime } from './reference-runtime.ts'

const f32 = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)

async function run(
  request: LowerRequest,
  inputs: number[][],
  { offset = 0, columns, count }: { offset?: number; columns?: number; count?: number } = {},
) {
  const { program, scalars, vectors } = lower(
    request,
    inputs.map(() => 'F32' as const),
  )
  const elementCount = count ?? inputs[0]!.length
  const output = new Uint8Array(4 * elementCount)
  const kernel = await createReferenceRuntime().compile(program)
  const results = await kernel.run({
    elementCount,
    offset,
    columns: columns ?? Math.max(1, elementCount),
    inputs: inputs.map((values) => f32(...values)),
    scalars,
    vectors,
    outputs: [output],
  })
  const stored = new Float32Array(elementCount)
  decode('F32', output, 0, stored)
  return { stored: [...stored], results }
}
const values = async (value: Expression, ...inputs: number[][]) =>
  (await run({ stores: [{ value, dtype: 'F32' }] }, inputs)).stored
const [a, b] = [input(0), input(1)]

describe('the reference runtime', () => {
  it('rounds every operation to float32', async () => {
    expect(await values(add(sub(add(a, 1), 1), 0), [2 ** -30, 2 ** -20])).toEqual([0, 2 ** -20])
    expect(await values(div(a, 3), [1])).toEqual([Math.fround(1 / 3)])
    expect(await values(mul(a, a), [2 ** -80, 2 ** 80, 1 + 2 ** -23])).toEqual([0, Infinity, 1 + 2 ** -22])
    expect(await values(sqrt(a), [2, 4, -1, -0])).toEqual([Math.fround(Math.SQRT2), 2, NaN, -0])
  })

  it('propagates NaN through minimum and maximum, and orders −0 before 0', async () => {
    expect(await values(minimum(a, b), [1, NaN, 1, 0, -0], [2, 1, NaN, -0, 0])).toEqual([1, NaN, NaN, -0, -0])
    expect(await values(maximum(a, b), [1, NaN, 1, 0, -0], [2, 1, NaN, -0, 0])).toEqual([2, NaN, NaN, 0, 0])
    expect(await values(add(neg(a), abs(a)), [1, -1, -0])).toEqual([0, 2, 0])
  })

  it('compares NaN as unequal to everything', async () => {
    for (const [compare, expected] of [
      [lt, 0],
      [le, 0],
      [gt, 0],
      [eq, 0],
      [ne, 1],
    ] as const) {
      expect(await values(select(compare(a, b), 1, 0), [NaN, 1, NaN], [1, NaN, NaN])).toEqual([
        expected,
        expected,
        expected,
      ])
    }
    expect(await values(select(eq(a, b), 1, 0), [-0], [0])).toEqual([1])
  })

  it('ranks within rows: ascending, equal ones by position, NaN last', async () => {
    const { stored } = await run(
      { stores: [{ value: rank(a), dtype: 'F32' }] },
      [[3, 1, 3, NaN, -1, 0, NaN, -0, 0, -Infinity]],
      { columns: 5, offset: 10 },
    )
    expect(stored).toEqual([2, 1, 3, 4, 0, 1, 4, 2, 3, 0])
  })

  it('finds rows, columns and random numbers by the flat index', async () => {
    const key = { high: 5, low: 6 }
    const rows = perRow(Float32Array.of(100, 200, 300, 400))
    expect(
      (
        await run({ stores: [{ value: add(rows, perColumn(Float32Array.of(1, 2, 3))), dtype: 'F32' }] }, [], {
          columns: 3,
          offset: 5,
          count: 5,
        })
      ).stored,
    ).toEqual([203, 301, 302, 303, 401])
    const offset = 2 ** 33 + 1
    expect((await run({ stores: [{ value: uniform(key), dtype: 'F32' }] }, [], { offset, count: 3 })).stored).toEqual(
      [0, 1, 2].map((i) => uniformAt(key, offset + i)),
    )
  })

  it('adds in four lanes, joined as (0 + 2) + (1 + 3), in float64', async () => {
    const big = 2 ** 53
    const { results } = await run({ reductions: [{ reduce: 'sum', per: 'tensor', value: a }] }, [
      [big, 1, -big, 1, 1, 1, 1, 1],
    ])
    expect(results).toEqual([Float64Array.of(big + 1 + (-big + 1) + 4)])
    const rows = await run({ reductions: [{ reduce: 'sum', per: 'row', value: a }] }, [[9, big, 1, 0, 3, -big]], {
      columns: 8,
      offset: 9,
    })
    expect(rows.results).toEqual([Float64Array.of(9 + 3 + 1 + (big + -big + 0))])
  })

  it('gives the same results for long calls as for short ones', async () => {
    const count = 10_001
    const inputs = [Array.from({ length: count }, (_, i) => Math.sin(i))]
    const request: LowerRequest = {
      stores: [{ value: mul(a, a), dtype: 'F32' }],
      locate: [{ mask: gt(a, 0.9999), nth: 40 }],
      histograms: [{ value: abs(a), bins: 8, lo: 0x3f000000, shift: 20 }],
    }
    const { stored, results } = await run(request, inputs)
    expect(stored).toEqual(inputs[0]!.map((x) => Math.fround(Math.fround(x) * Math.fround(x))))
    const above = inputs[0]!.flatMap((x, i) => (Math.fround(x) > Math.fround(0.9999) ? [i] : []))
    expect(results[1]).toEqual(Float64Array.of(above[40]!))
    expect([...results[0]!].reduce((x, y) => x + y, 0)).toBe(count)
  })

  it('locates the element of a number, in any call, and none past the end', async () => {
    const ones = Array.from({ length: 4100 }, () => 1)
    const located = async (nth: number, offset = 0) =>
      (await run({ locate: [{ mask: gt(a, 0), nth }] }, [ones], { offset, columns: 8200 })).results[0]
    expect(await located(0)).toEqual(Float64Array.of(0))
    expect(await located(4099)).toEqual(Float64Array.of(4099))
    expect(await located(4099, 100)).toEqual(Float64Array.of(4199))
    expect(await located(4100)).toEqual(Float64Array.of(-1))
  })

  it('counts patterns below, in and past the bins', async () => {
    const { results } = await run({ histograms: [{ value: a, bins: 2, lo: 0x3f800000, shift: 23 }] }, [
      [0, 0.99, 1, 1.99, -2, 3.99, 4, Infinity, NaN],
    ])
    expect(results).toEqual([Uint32Array.of(2, 2, 2, 3)])
  })

  it.each([
    ['an operand that comes later', { instructions: [{ op: 'neg', a: 0 }] }],
    [
      'a mask as a value',
      {
        instructions: [
          { op: 'before', slot: 0 },
          { op: 'neg', a: 0 },
        ],
      },
    ],
    [
      'a value as a mask',
      {
        instructions: [
          { op: 'scalar', slot: 0 },
          { op: 'not', a: 0 },
        ],
      },
    ],
    ['a missing input', { instructions: [{ op: 'input', slot: 0 }] }],
    ['a missing scalar', { instructions: [{ op: 'scalar', slot: 1 }] }],
    ['a missing vector', { instructions: [{ op: 'vector', slot: 0 }] }],
    ['an unknown operation', { instructions: [{ op: 'sin', a: 0 }] }],
    ['an output of nothing', { outputs: [{ kind: 'store', value: 0, dtype: 'F32' }] }],
    [
      'a histogram without bins',
      {
        instructions: [{ op: 'scalar', slot: 0 }],
        outputs: [{ kind: 'histogram', value: 0, bins: 0, lo: 0, shift: 0 }],
      },
    ],
    [
      'locate of a value',
      { instructions: [{ op: 'scalar', slot: 0 }], outputs: [{ kind: 'locate', mask: 0, nth: 0 }] },
    ],
    ['an unknown output', { outputs: [{ kind: 'sort' }] }],
  ])('rejects a program with %s', async (_, part) => {
    const program = {
      inputs: [],
      scalarCount: 1,
      vectors: [],
      instructions: [],
      outputs: [],
      ...part,
    } as unknown as Program
    await expect(createReferenceRuntime().compile(program)).rejects.toMatchObject({ code: 'malformed-program' })
  })

  it('is called reference', () => {
    expect(createReferenceRuntime().name).toBe('reference')
  })

  it('rejects calls that do not fit the program', async () => {
    const { program, scalars, vectors } = lower(
      {
        stores: [{ value: mul(rank(input(0)), perRow(new Float32Array(3))), dtype: 'BF16' }],
        reductions: [{ reduce: 'sum', per: 'row', value: input(0) }],
        histograms: [{ value: input(0), bins: 4, lo: 0, shift: 0 }],
      },
      ['BF16'],
    )
    const kernel = await createReferenceRuntime().compile(program)
    const good = {
      elementCount: 4,
      offset: 2,
      columns: 2,
      inputs: [new Uint8Array(8)],
      scalars,
      vectors,
      outputs: [new Uint8Array(8)],
    }
    expect(() => kernel.run(good)).not.toThrow()
    expect(() => kernel.run({ ...good, inputs: [new Uint8Array(7)] })).toThrow('input 0 (BF16) has 7 bytes, expected 8')
    expect(() => kernel.run({ ...good, outputs: [] })).toThrow('output 0 has 0 bytes, expected 8')
    expect(() => kernel.run({ ...good, scalars: [] })).toThrow('0 scalars, expected 2')
    expect(() => kernel.run({ ...good, vectors: [] })).toThrow('0 vectors, expected 1')
    expect(() => kernel.run({ ...good, offset: 4 })).toThrow('vector 0 has 3 values, expected at least 4')
    const partOfRow = { ...good, offset: 6, elementCount: 1 }
    expect(() => kernel.run(partOfRow)).toThrow('vector 0 has 3 values, expected at least 4')
    expect(() => kernel.run({ ...good, offset: 1 })).toThrow('not whole rows of 2')
    expect(() => kernel.run({ ...good, elementCount: -1 })).toThrow('elementCount is -1')
    expect(() => kernel.run({ ...good, columns: 0 })).toThrow('columns is 0')
    const empty = { ...good, elementCount: 0, offset: 0 }
    for (const columns of [0, 2]) expect(() => kernel.run({ ...empty, columns })).not.toThrow()
    for (const columns of [-1, 0.5, Number.NaN])
      expect(() => kernel.run({ ...empty, columns })).toThrow(`columns is ${columns}`)
    expect(() => kernel.run({ ...good, scalars: [0x7f800000, 0] })).toThrow('reaches into NaN')
    expect(() => kernel.run({ ...good, scalars: [0, 32] })).toThrow('shift is 32')
  })

  it('rejects row results for calls that cut through rows', async () => {
    const { program } = lower({ reductions: [{ reduce: 'sum', per: 'row', value: input(0) }] }, ['F32'])
    const kernel = await createReferenceRuntime().compile(program)
    const call = { columns: 4, inputs: [new Uint8Array(64)], scalars: [], vectors: [], outputs: [] }
    expect(await kernel.run({ ...call, elementCount: 2, offset: 5 })).toEqual([Float64Array.of(0)])
    expect(() => kernel.run({ ...call, elementCount: 4, offset: 5 })).toThrow('neither whole rows of 4 nor part of one')
  })
})

describe('exp and log', () => {
  const ulps = (got: number, exact: number) => {
    if (Object.is(got, Math.fround(exact))) return 0
    const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(exact))))
    return Math.abs(got - exact) / 2 ** (exponent - 23)
  }
  const worst = async (value: Expression, exact: (x: number) => number, xs: number[]) =>
    (await values(value, xs)).reduce((most, got, i) => Math.max(most, ulps(got, exact(Math.fround(xs[i]!)))), 0)

  it('are within 2 ulp', async () => {
    expect(
      await worst(
        exp(a),
        Math.exp,
        Array.from({ length: 40_000 }, (_, i) => -103.9 + (i * 192.6) / 40_000),
      ),
    ).toBeLessThan(2)
    const positive = Array.from({ length: 40_000 }, (_, i) => 2 ** (-149 + (i * 277) / 40_000))
    const nearOne = Array.from({ length: 10_000 }, (_, i) => 0.6 + i * 1e-4)
    expect(await worst(log(a), Math.log, [...positive, ...nearOne])).toBeLessThan(2)
  })

  it('have the right special values', async () => {
    expect(await values(exp(a), [0, -0, 88.73, 1000, Infinity, -104, -1000, -Infinity, NaN])).toEqual([
      1,
      1,
      Infinity,
      Infinity,
      Infinity,
      0,
      0,
      0,
      NaN,
    ])
    expect(await values(exp(a), [88.72283])).toEqual([expect.closeTo(3.4028e38, -36)])
    expect(await values(log(a), [1, 0, -0, -1, -(2 ** -149), Infinity, -Infinity, NaN])).toEqual([
      0,
      -Infinity,
      -Infinity,
      NaN,
      NaN,
      Infinity,
      NaN,
      NaN,
    ])
  })
})

it('encodes what it stores', async () => {
  const { program } = lower({ stores: [{ value: input(0), dtype: 'F16' }] }, ['F32'])
  const outputs = [new Uint8Array(4)]
  await (
    await createReferenceRuntime().compile(program)
  ).run({ elementCount: 2, offset: 0, columns: 2, inputs: [f32(1.0001, -70000)], scalars: [], vectors: [], outputs })
  const expected = new Uint8Array(4)
  encode('F16', Float32Array.of(1.0001, -70000), expected, 0)
  expect(outputs[0]).toEqual(expected)
})
