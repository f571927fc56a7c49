import { finite, finiteThroughout } from '../language/finite.ts'
import { abs, and, eq, gt, input, le, lt, mul, not, or, perRow, select, sub } from '../language/operations.ts'
import { INFINITY_BITS } from '../numbers/numerics.ts'
import { caseOf, type CallSketch, type ConformanceCase } from './case.ts'
import { coarse, lengths, numbers, special, stored } from './data.ts'
import { rowCalls } from './position-cases.ts'

const a = input(0)
const b = input(1)
const kinds = ['sum', 'min', 'max'] as const

const withInput =
  (make: (count: number, seed: number) => Float32Array) =>
  (call: Omit<CallSketch, 'inputs'>, seed: number): CallSketch => ({
    ...call,
    inputs: [stored('F32', make(call.elementCount, seed))],
  })
const lookup = special.toSorted()

export const reductionCases = (): ConformanceCase[] => [
  caseOf(
    'reduction',
    'tensor: every length',
    ['F32'],
    { reductions: kinds.map((reduce) => ({ reduce, per: 'tensor', value: a })) },
    () => [...lengths, 100_003].map((elementCount) => withInput(numbers)({ elementCount }, 1)),
  ),
  caseOf(
    'reduction',
    'tensor: special numbers',
    ['F32'],
    { reductions: kinds.map((reduce) => ({ reduce, per: 'tensor', value: a })) },
    () =>
      [
        special,
        special.filter((x) => !Number.isNaN(x)),
        special.filter(Number.isFinite),
        lookup,
        Float32Array.of(-0, -0, -0),
        Float32Array.of(0, -0, 0, -0, 0),
        Float32Array.of(1, 2, 3, 4, 5, 6, NaN),
      ].map((values) => ({ elementCount: values.length, inputs: [stored('F32', values)] })),
  ),
  caseOf(
    'reduction',
    'tensor: quick sums of every length, beside other results',
    ['BF16', 'F32'],
    {
      stores: [{ value: sub(a, b), dtype: 'F32' }],
      reductions: [
        { reduce: 'quickSum', per: 'tensor', value: mul(a, b) },
        { reduce: 'sum', per: 'tensor', value: mul(a, b) },
        { reduce: 'sum', per: 'tensor', value: lt(a, b) },
        { reduce: 'max', per: 'tensor', value: a },
        { reduce: 'quickSum', per: 'tensor', value: b },
      ],
    },
    () =>
      [...lengths, ...[-9, -8, -1, 0, 1, 8, 9].map((past) => 256 + past), 100_003].map((elementCount) => ({
        elementCount,
        inputs: [stored('BF16', numbers(elementCount, 18)), stored('F32', numbers(elementCount, 19))],
      })),
  ),
  caseOf(
    'reduction',
    'tensor: largest magnitudes',
    ['F32'],
    { reductions: kinds.map((reduce) => ({ reduce, per: 'tensor', value: abs(a) })) },
    () => [
      ...lengths.map((elementCount) => withInput(coarse)({ elementCount }, 20)),
      ...[special, special.filter(Number.isFinite), Float32Array.of(-0, -0, -0), Float32Array.of(-NaN, 1)].map(
        (values) => ({ elementCount: values.length, inputs: [stored('F32', values)] }),
      ),
    ],
  ),
  caseOf(
    'reduction',
    'tensor: quick sums of special numbers',
    ['F32'],
    { reductions: [{ reduce: 'quickSum', per: 'tensor', value: a }] },
    () =>
      [special, special.filter(Number.isFinite), Float32Array.of(-0, -0, -0), new Float32Array(300).fill(3e38)].map(
        (values) => ({ elementCount: values.length, inputs: [stored('F32', values)] }),
      ),
  ),
  caseOf(
    'reduction',
    'tensor: counts of masks',
    ['F32'],
    {
      reductions: [
        { reduce: 'sum', per: 'tensor', value: gt(a, 1) },
        { reduce: 'sum', per: 'tensor', value: not(or(gt(a, 1), lt(a, 0))) },
        { reduce: 'max', per: 'tensor', value: eq(a, 0) },
        { reduce: 'min', per: 'tensor', value: le(a, 2) },
      ],
    },
    () => lengths.map((elementCount) => withInput(coarse)({ elementCount }, 2)),
  ),
  ...(['F32', 'BF16', 'F16', 'F8_E4M3'] as const).map((dtype) =>
    caseOf(
      'reduction',
      `tensor: what is finite, beside a store of ${dtype}`,
      [dtype, 'F64'],
      {
        stores: [{ value: select(gt(a, b), a, 1), dtype }],
        reductions: [finiteThroughout(select(gt(a, b), a, 1), dtype), finite(b, dtype), finite(mul(a, b), dtype)].map(
          (value) => ({ reduce: 'sum', per: 'tensor', value }),
        ),
      },
      () =>
        lengths.map((elementCount) => ({
          elementCount,
          inputs: [stored(dtype, coarse(elementCount, 16)), stored('F64', coarse(elementCount, 17))],
        })),
    ),
  ),
  caseOf(
    'reduction',
    'tensor: a Gram matrix of bf16',
    ['BF16', 'BF16'],
    {
      reductions: [mul(a, a), mul(a, b), mul(b, b), mul(sub(a, b), sub(a, b))].map((value) => ({
        reduce: 'sum',
        per: 'tensor',
        value,
      })),
    },
    () =>
      lengths.map((elementCount) => ({
        elementCount,
        inputs: [stored('BF16', numbers(elementCount, 3)), stored('BF16', numbers(elementCount, 4))],
      })),
  ),
  ...[1, 2, 3, 4, 5, 7, 16, 33, 1000].flatMap((columns) => [
    caseOf(
      'reduction',
      `row: ${columns} columns`,
      ['F32'],
      {
        reductions: [
          ...kinds.map((reduce) => ({ reduce, per: 'row' as const, value: a })),
          { reduce: 'sum', per: 'row', value: gt(a, 0) },
        ],
      },
      () => rowCalls(columns, 9, true).map((call) => withInput(numbers)(call, 5)),
    ),
    caseOf(
      'reduction',
      `column: ${columns} columns`,
      ['F32'],
      {
        reductions: [
          ...kinds.map((reduce) => ({ reduce, per: 'column' as const, value: a })),
          { reduce: 'sum', per: 'column', value: gt(a, 0) },
        ],
      },
      () =>
        [
          ...rowCalls(columns, 9, true),
          { columns, offset: Math.floor(columns / 2), elementCount: columns * 2 + 1 },
        ].map((call) => withInput(numbers)(call, 6)),
    ),
  ]),
  caseOf(
    'reduction',
    'row and column: special numbers',
    ['F32'],
    {
      reductions: kinds.flatMap((reduce) => (['row', 'column'] as const).map((per) => ({ reduce, per, value: a }))),
    },
    () => [3, 4, 11].map((columns) => withInput(coarse)({ columns, elementCount: columns * 20 }, 7)),
  ),
  caseOf(
    'reduction',
    'tensor, row and column with stores, in one program',
    ['BF16', 'F32'],
    {
      stores: [
        { value: sub(a, b), dtype: 'BF16' },
        { value: mul(a, b), dtype: 'F32' },
        { value: select(gt(a, b), a, b), dtype: 'F16' },
      ],
      reductions: [
        { reduce: 'sum', per: 'tensor', value: mul(a, b) },
        { reduce: 'max', per: 'row', value: sub(a, b) },
        { reduce: 'sum', per: 'column', value: abs(sub(a, b)) },
      ],
      histograms: [{ value: abs(sub(a, b)), bins: 100, lo: 0x3f000000, shift: 18 }],
      locate: [{ mask: gt(a, b), nth: 3 }],
    },
    () =>
      rowCalls(37, 9, true).map((call) => ({
        ...call,
        inputs: [stored('BF16', numbers(call.elementCount, 8)), stored('F32', numbers(call.elementCount, 9))],
      })),
  ),
  ...(
    [
      ['all exponents', INFINITY_BITS >> 17, 0, 17],
      ['a narrow range', 1024, 0x3f800000, 3],
      ['single patterns', 64, 0x40000000, 0],
      ['up to infinity', 8, INFINITY_BITS - 7, 0],
      ['zeros', 1, 0, 0],
      ['64 Ki bins', 65536, 0x3f800000, 0],
    ] as const
  ).map(([name, bins, lo, shift]) =>
    caseOf('histogram', name, ['F32'], { histograms: [{ value: abs(a), bins, lo, shift }] }, () => [
      ...lengths.map((elementCount) => withInput(numbers)({ elementCount }, 10)),
      withInput(coarse)({ elementCount: 4097 }, 11),
      near(lo),
      near(lo + bins * 2 ** shift),
    ]),
  ),
  caseOf(
    'histogram',
    'the sign is ignored',
    ['F32'],
    { histograms: [{ value: a, bins: 16320, lo: 0, shift: 17 }] },
    () => [withInput(coarse)({ elementCount: 1001 }, 12)],
  ),
  caseOf(
    'histogram',
    'another range in each call',
    ['BF16'],
    {
      histograms: [
        { value: abs(a), bins: 256, lo: 0, shift: 0 },
        { value: a, bins: 32, lo: 0, shift: 0 },
      ],
    },
    () =>
      [
        [0, 22, 0, 25],
        [0x3f800000, 16, 0x40000000, 15],
        [INFINITY_BITS - 255, 0, INFINITY_BITS - 31, 0],
      ].map((scalars) => ({ elementCount: 777, inputs: [stored('BF16', coarse(777, 13))], scalars })),
  ),
  caseOf(
    'histogram',
    'elements that a mask leaves out',
    ['BF16', 'BF16'],
    {
      histograms: [{ value: select(and(gt(a, 0), gt(b, 0)), sub(a, b), 0), bins: 2048, lo: 0x3d000000, shift: 15 }],
    },
    () => [{ elementCount: 5000, inputs: [stored('BF16', numbers(5000, 14)), stored('BF16', numbers(5000, 15))] }],
  ),
  ...(
    [
      ['one window', [[0x3f000000, 0x3f900000]]],
      [
        'several windows, two of which meet',
        [
          [0x3e000000, 0x3e800000],
          [0x3e800000, 0x3f000000],
          [0x3f800000, 0x40000000],
        ],
      ],
      ['all that is finite or infinite', [[0, INFINITY_BITS + 1]]],
      [
        'nothing',
        [
          [0, 0],
          [0x3f800000, 0x3f800000],
        ],
      ],
      ['one number', [[0x3f800000, 0x3f800001]]],
    ] as const
  ).map(([name, windows]) =>
    caseOf(
      'collect',
      name,
      ['F32'],
      { collections: [{ value: a, windows: windows.map(([lo, hi]) => ({ lo, hi })) }] },
      () => [
        ...lengths.map((elementCount) => withInput(numbers)({ elementCount }, 16)),
        withInput(coarse)({ elementCount: 4097 }, 17),
        { elementCount: special.length, inputs: [stored('F32', special)] },
        ...windows.flatMap(([lo, hi]) => [near(lo), near(hi)]),
      ],
    ),
  ),
  caseOf(
    'collect',
    'other windows in each call, of a magnitude with a vector per row',
    ['BF16', 'BF16'],
    {
      collections: [
        { value: mul(abs(sub(a, b)), perRow(numbers(37, 18).map(Math.abs))), windows: [{ lo: 0, hi: 0 }] },
        {
          value: a,
          windows: [
            { lo: 0, hi: 0 },
            { lo: 0, hi: 0 },
          ],
        },
      ],
    },
    () =>
      [
        [0x3c000000, 0x3f800000, 0x3f000000, 0x3f800000, 0x3f800000, 0x40000000],
        [0, INFINITY_BITS, 0, 1, INFINITY_BITS, INFINITY_BITS + 1],
      ].map((scalars) => ({
        elementCount: 37 * 9,
        columns: 9,
        inputs: [stored('BF16', numbers(37 * 9, 19)), stored('BF16', coarse(37 * 9, 20))],
        scalars,
      })),
  ),
]

/** The patterns just below and from a bound on. */
function near(bound: number): CallSketch {
  const patterns = Uint32Array.from({ length: 64 }, (_, i) => Math.max(0, bound - 32 + i))
  return { elementCount: 64, inputs: [new Uint8Array(patterns.buffer)] }
}
