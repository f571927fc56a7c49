import {
  abs,
  add,
  before,
  perColumn,
  ge,
  gt,
  input,
  mul,
  rank,
  perRow,
  select,
  uniform,
} from '../language/operations.ts'
import { caseOf, type CallSketch, type ConformanceCase } from './case.ts'
import { coarse, lengths, numbers, stored } from './data.ts'

const a = input(0)
/** Flat indices around which 32-bit arithmetic goes wrong. */
const offsets = [0, 1, 6, 2 ** 31 - 3, 2 ** 32 - 5, 2 ** 32, 2 ** 33 + 7, 2 ** 40 + 3, 2 ** 52 - 30]

const begin = before(0)
const linear = {
  stores: [{ value: add(mul(a, 0.3), mul(input(1), 0.7)), dtype: 'BF16' }],
  reductions: [{ reduce: 'sum', per: 'tensor', value: mul(a, input(1)) }],
} as const

export const positionCases = (): ConformanceCase[] => [
  caseOf('length', 'bf16 of every length', ['BF16', 'BF16'], linear, () =>
    [...lengths, ...lengths].map((elementCount) => ({
      elementCount,
      inputs: [stored('BF16', numbers(elementCount, 1)), stored('BF16', numbers(elementCount, 2))],
    })),
  ),
  caseOf('length', 'mixed dtypes of every length', ['F32', 'F16'], linear, () =>
    lengths.map((elementCount) => ({
      elementCount,
      inputs: [stored('F32', numbers(elementCount, 1)), stored('F16', numbers(elementCount, 2))],
    })),
  ),
  caseOf(
    'uniform',
    'any key at any index',
    [],
    { stores: [{ value: uniform({ high: 0, low: 0 }), dtype: 'F32' }] },
    () =>
      [
        [1, 2],
        [0, 0],
        [0xffffffff, 0xffffffff],
        [0x9e3779b9, 0x80000000],
      ].flatMap((scalars) => offsets.map((offset) => ({ elementCount: 27, offset, inputs: [], scalars }))),
  ),
  caseOf(
    'uniform',
    'two keys and a threshold',
    ['BF16'],
    {
      stores: [{ value: select(gt(uniform({ high: 1, low: 2 }), uniform({ high: 3, low: 4 })), a, 0), dtype: 'BF16' }],
    },
    () => [{ elementCount: 4097, inputs: [stored('BF16', numbers(4097, 3))] }],
  ),
  caseOf(
    'before',
    'ends inside, before and behind the call',
    ['F32'],
    {
      stores: [{ value: select(begin, a, 0), dtype: 'F32' }],
      reductions: [{ reduce: 'sum', per: 'tensor', value: begin }],
    },
    () =>
      offsets.flatMap((offset) =>
        [0, offset - 1, offset, offset + 1, offset + 5, offset + 10, offset + 11, offset + 2 ** 32, 2 ** 52].map(
          (end) => ({
            elementCount: 11,
            offset,
            inputs: [stored('F32', numbers(11, 4))],
            scalars: [Math.max(0, end), 0],
          }),
        ),
      ),
  ),
  ...[1, 3, 4, 7, 100].map((columns) => {
    const rows = 9
    const byRow = numbers(rows, 5)
    const byColumn = numbers(columns, 6)
    return caseOf(
      'vector',
      `rows and columns of ${columns}`,
      ['F32'],
      {
        stores: [{ value: add(mul(a, perRow(byRow)), perColumn(byColumn)), dtype: 'F32' }],
        reductions: [{ reduce: 'sum', per: 'row', value: mul(a, perColumn(byColumn)) }],
      },
      () =>
        rowCalls(columns, rows, true).map((call) => ({
          ...call,
          inputs: [stored('F32', numbers(call.elementCount, 7))],
        })),
    )
  }),
  caseOf(
    'vector',
    'calls that cut through rows',
    ['F32'],
    { stores: [{ value: add(mul(a, perRow(numbers(40, 5))), perColumn(numbers(7, 6))), dtype: 'F32' }] },
    () =>
      [
        [0, 30],
        [3, 50],
        [6, 1],
        [20, 0],
        [13, 260],
      ].map(([offset, elementCount]) => ({
        offset: offset!,
        elementCount: elementCount!,
        columns: 7,
        inputs: [stored('F32', numbers(elementCount!, 7))],
      })),
  ),
  ...[1, 2, 3, 7, 64, 1000].map((columns) =>
    caseOf(
      'rank',
      `rows of ${columns}`,
      ['F32'],
      {
        stores: [
          { value: rank(abs(a)), dtype: 'F32' },
          { value: rank(a), dtype: 'F32' },
        ],
      },
      () => [
        { columns, elementCount: 0, inputs: [new Uint8Array(0)] },
        ...[coarse, numbers].flatMap((make) =>
          [
            [0, 1],
            [5, 3],
            [1, 11],
          ].map(([row, rows]) => ({
            columns,
            offset: row! * columns,
            elementCount: rows! * columns,
            inputs: [stored('F32', make(rows! * columns, 8))],
          })),
        ),
      ],
    ),
  ),
  caseOf(
    'rank',
    'of bf16, in arithmetic and reductions per row',
    ['BF16'],
    {
      stores: [{ value: mul(rank(abs(a)), a), dtype: 'BF16' }],
      reductions: [
        { reduce: 'max', per: 'row', value: rank(a) },
        { reduce: 'sum', per: 'row', value: ge(rank(a), 10) },
      ],
    },
    () => [{ columns: 33, elementCount: 330, inputs: [stored('BF16', numbers(330, 9))] }],
  ),
  caseOf('locate', 'the n-th true element', ['F32'], { locate: [{ mask: gt(a, 1), nth: 0 }] }, () =>
    offsets.flatMap((offset) =>
      [0, 1, 2, 7, 500, 5000, 2 ** 31, 2 ** 32].map((nth) => ({
        elementCount: 1003,
        offset,
        inputs: [stored('F32', numbers(1003, 10))],
        scalars: [1, nth],
      })),
    ),
  ),
  caseOf(
    'locate',
    'in calls of every length',
    ['BF16'],
    {
      locate: [
        { mask: gt(a, 0), nth: 2 },
        { mask: gt(a, 0), nth: 0 },
      ],
    },
    () => lengths.map((elementCount) => ({ elementCount, inputs: [stored('BF16', numbers(elementCount, 11))] })),
  ),
]

/** Sketches calls over whole rows, and over parts of one row. */
export function rowCalls(
  columns: number,
  rows: number,
  parts: boolean,
): Pick<CallSketch, 'columns' | 'offset' | 'elementCount'>[] {
  const whole = [
    [0, rows],
    [2, 1],
    [1, rows - 1],
    [rows, 0],
    [0, 2],
  ].map(([row, count]) => ({ columns, offset: row! * columns, elementCount: count! * columns }))
  const within = [
    [0, 1],
    [Math.floor(columns / 2), Math.ceil(columns / 2)],
    [columns - 1, 1],
    [Math.min(1, columns - 1), Math.max(0, columns - 2)],
  ]
  return parts
    ? [...whole, ...within.map(([column, count]) => ({ columns, offset: 3 * columns + column!, elementCount: count! }))]
    : whole
}
