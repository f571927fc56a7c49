import { describe, expect, it } from 'vitest'
import {
  abs,
  add,
  and,
  before,
  perColumn,
  type Expression,
  gt,
  input,
  lt,
  type Mask,
  mul,
  not,
  rank,
  perRow,
  select,
  sub,
  uniform,
} from '../language/operations.ts'
import { formatProgram, programKey } from './format-program.ts'
import { type Lowered, lower } from './lower.ts'
import { matrixColumns } from './matrix-columns.ts'
import { needsWholeRows, usedInputs } from './requirements.ts'

const store = (value: Expression) => lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'F32'])
const delta = () => sub(input(1), input(0))

describe('lower', () => {
  it('computes what is built twice from the same inputs once', () => {
    expect(store(mul(delta(), delta())).program.instructions).toEqual([
      { op: 'input', slot: 1 },
      { op: 'input', slot: 0 },
      { op: 'sub', a: 0, b: 1 },
      { op: 'mul', a: 2, b: 2 },
    ])
  })

  it('gives equal programs to equal code, whatever the numbers', () => {
    const build = (x: number, y: number, end: number) =>
      store(select(and(before(end), gt(input(0), x)), mul(delta(), y), uniform({ high: end, low: 0 })))
    const [first, second] = [build(1, 2, 3), build(5, 5, 5)]
    expect(programKey(first.program)).toBe(programKey(second.program))
    expect([first.scalars, second.scalars]).toEqual([
      [3, 1, 2, 3, 0],
      [5, 5, 5, 5, 0],
    ])
  })

  it('gives one key and one program to equal code, and others where anything else differs', () => {
    const half = (): Expression => ({ op: 'number', value: 0.5 })
    const key = { high: 1, low: 2 }
    const [row, other] = [Float32Array.of(1, 2), Float32Array.of(1, 2)]
    const shared = half()
    const reduced = (value: Expression, per: 'row' | 'tensor') =>
      lower({ reductions: [{ reduce: 'sum', per, value }] }, ['BF16', 'F32'])
    const counted = (bins: number) =>
      lower({ histograms: [{ value: input(0), bins, lo: bins, shift: 0 }] }, ['BF16', 'F32'])
    const collected = (...windows: { lo: number; hi: number }[]) =>
      lower({ collections: [{ value: input(0), windows }] }, ['BF16', 'F32'])
    const build = (): readonly Lowered[] => [
      store(input(0)),
      store(input(1)),
      lower({ stores: [{ value: input(0), dtype: 'F16' }] }, ['BF16', 'F32']),
      lower({ stores: [{ value: input(0), dtype: 'BF16' }] }, ['BF16', 'F16']),
      lower({ stores: [{ value: input(0), dtype: 'BF16' }] }, ['BF16']),
      store(sub(input(0), input(1))),
      store(sub(input(1), input(0))),
      store(add(input(0), input(1))),
      store(mul(half(), half())),
      store(mul(shared, shared)),
      store(mul(perRow(row), perRow(row))),
      store(mul(perRow(row), perRow(other))),
      store(mul(perRow(row), perColumn(row))),
      store(mul(uniform(key), uniform(key))),
      store(mul(uniform(key), uniform({ ...key }))),
      store(select(before(3), 1, 2)),
      store(select(not(before(3)), 1, 2)),
      reduced(input(0), 'row'),
      reduced(input(0), 'tensor'),
      counted(4),
      counted(5),
      collected({ lo: 1, hi: 2 }),
      collected({ lo: 1, hi: 2 }, { lo: 3, hi: 4 }),
    ]
    const [first, second] = [build(), build()]
    second.forEach(({ key: again, program }, i) => {
      expect(again).toBe(first[i]!.key)
      expect(program).toBe(first[i]!.program)
    })
    expect(new Set(first.map(({ key: each }) => each)).size).toBe(first.length)
    expect(new Set(first.map(({ program }) => programKey(program))).size).toBe(first.length)
  })

  it('still gives equal programs to equal code when it has made many others', () => {
    const wide = (count: number) =>
      lower({ reductions: Array.from({ length: count }, () => ({ reduce: 'sum', per: 'tensor', value: input(0) })) }, [
        'F32',
      ])
    const before = Array.from({ length: 600 }, (_, i) => wide(i + 1))
    before.forEach(({ key, program }, i) => expect([key, program]).toEqual([wide(i + 1).key, wide(i + 1).program]))
  })

  it('shares a number, a vector, a key or a boundary that is the same object', () => {
    const half: Expression = { op: 'number', value: 0.5 }
    const values = Float32Array.of(1, 2)
    const key = { high: 1, low: 2 }
    const end = before(9)
    const { program, scalars, vectors } = store(
      select(
        and(end, end),
        add(mul(uniform(key), uniform(key)), mul(half, half)),
        mul(perRow(values), mul(perRow(values), perColumn(values))),
      ),
    )
    expect(scalars).toEqual([9, 1, 2, 0.5])
    expect(vectors).toEqual([values, values])
    expect(program.vectors).toEqual(['row', 'column'])
  })

  it('puts outputs in the order of stores, reductions, histograms, collections, locate', () => {
    const { program, scalars } = lower(
      {
        locate: [{ mask: gt(input(0), 0), nth: 7 }],
        collections: [{ value: input(0), windows: [{ lo: 8, hi: 9 }] }],
        histograms: [{ value: input(0), bins: 4, lo: 5, shift: 6 }],
        reductions: [{ reduce: 'sum', per: 'row', value: gt(input(0), 1) }],
        stores: [{ value: 2, dtype: 'F32' }],
      },
      ['F16'],
    )
    expect(formatProgram(program)).toBe(
      [
        'inputs 0:F16',
        'scalars 8',
        'vectors',
        '%0 = scalar 0',
        '%1 = input 0',
        '%2 = scalar 1',
        '%3 = gt %1 %2',
        '%4 = scalar 6',
        '%5 = gt %1 %4',
        'store %0 as F32',
        'sum %3 per row',
        'histogram %1 in 4 bins from 2 shift 3',
        'collect %1 from 4 to 5',
        'locate %5 number 7',
      ].join('\n'),
    )
    expect(scalars).toEqual([2, 1, 5, 6, 8, 9, 0, 7])
  })

  it('takes time in the number of parts, not of paths', () => {
    let value = input(0)
    for (let i = 0; i < 100; i++) value = add(value, value)
    expect(store(value).program.instructions).toHaveLength(101)
  })

  it('rejects a mask as a value and the reverse, naming where', () => {
    const mask = gt(input(0), 0)
    const wrong = (build: () => unknown) => {
      try {
        build()
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(wrong(() => store(add(mask as unknown as Expression, 1)))).toMatchObject({
      code: 'wrong-kind',
      issue: { where: 'add', expected: 'expression', got: 'gt' },
    })
    expect(wrong(() => store(select(input(0) as unknown as Mask, 1, 2)))).toMatchObject({
      code: 'wrong-kind',
      issue: { where: 'select', expected: 'mask', got: 'input' },
    })
    // Also where the same object was a mask a moment ago.
    expect(wrong(() => store(select(mask, mask as unknown as Expression, 2)))).toMatchObject({ code: 'wrong-kind' })
    expect(wrong(() => store(abs(undefined as unknown as Expression)))).toMatchObject({
      code: 'wrong-kind',
      issue: { got: 'undefined' },
    })
    expect(wrong(() => store({ op: 'sin', a: input(0) } as unknown as Expression))).toMatchObject({
      code: 'wrong-kind',
      issue: { got: 'sin' },
    })
    expect(wrong(() => lower({ locate: [{ mask: not(input(0) as unknown as Mask), nth: 0 }] }, ['F32']))).toMatchObject(
      { code: 'wrong-kind' },
    )
  })

  it.each([-1, 2, 0.5])('rejects input %d of two', (slot) => {
    expect(() => store(input(slot))).toThrow(`input ${slot} does not exist: expected a whole number below 2`)
  })

  it.each([-1, 1.5, 2 ** 53, NaN])('rejects before(%d)', (end) => {
    expect(() => store(select(before(end), 1, 0))).toThrow('expected a whole number from 0 to 2^53 − 1')
  })

  it('rejects a random key that is not two 32-bit words', () => {
    expect(() => store(uniform({ high: 2 ** 32, low: 0 }))).toThrow('a word of a random key is 4294967296')
    expect(() => store(uniform({ high: 0, low: -1 }))).toThrow('a word of a random key is -1')
  })
})

describe('facts of a program', () => {
  it('are the inputs that it reads and whether it needs whole rows', () => {
    expect(usedInputs(store(mul(input(1), lessThanHalf)).program)).toEqual([1])
    expect(usedInputs(store(delta()).program)).toEqual([0, 1])
    expect([needsWholeRows(store(delta()).program), needsWholeRows(store(rank(delta())).program)]).toEqual([
      false,
      true,
    ])
  })

  it('are the columns: those of its vectors, else the last dimension', () => {
    const columns = (value: Expression, shape: number[], given?: number) => matrixColumns(store(value), shape, given)
    const vector = (length: number) => new Float32Array(length)
    expect(columns(input(0), [3, 4, 5])).toBe(5)
    expect(columns(input(0), [])).toBe(1)
    expect(columns(input(0), [3, 4, 5], 20)).toBe(20)
    expect(columns(perColumn(vector(20)), [3, 4, 5])).toBe(20)
    expect(columns(perRow(vector(3)), [3, 4, 5])).toBe(20)
    expect(columns(mul(perRow(vector(12)), perColumn(vector(5))), [3, 4, 5])).toBe(5)
    expect(columns(mul(perRow(vector(0)), perColumn(vector(5))), [0, 5])).toBe(5)
    expect(() => columns(mul(perRow(vector(3)), perColumn(vector(5))), [3, 4, 5])).toThrow(
      'a column vector has 5 values, which does not fit a tensor of 60 elements seen as a matrix of 20 columns',
    )
    expect(() => columns(perColumn(vector(7)), [3, 4, 5])).toThrow('a column vector has 7 values')
    expect(() => columns(perRow(vector(0)), [3, 4, 5])).toThrow('a row vector has 0 values')
    expect(() => columns(perRow(vector(3)), [3, 4, 5], 5)).toThrow('matrix of 5 columns')
    expect(() => columns(input(0), [3, 4, 5], 7)).toThrow('60 elements cannot be seen as a matrix of 7 columns')
    expect(() => columns(input(0), [1], 2)).toThrow('cannot be seen as a matrix of 2 columns')
  })
})

const lessThanHalf = select(lt(uniform({ high: 1, low: 1 }), 0.5), 1, 0)
