import type { Dtype } from '@mk/safetensors'
import {
  abs,
  add,
  and,
  before,
  perColumn,
  div,
  eq,
  exp,
  type Expression,
  ge,
  gt,
  input,
  le,
  log,
  lt,
  type Mask,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  not,
  or,
  rank,
  perRow,
  select,
  sqrt,
  sub,
  uniform,
} from '../language/expressions.ts'
import { fmix32 } from '../numbers/random.ts'
import { caseOf, type ConformanceCase } from './case.ts'
import { allDtypes, anyBytes, coarse, numbers, stored } from './data.ts'

const unary = [neg, abs, sqrt, exp, log]
const binary = [add, sub, mul, div, minimum, maximum, add, sub, mul]
const comparisons = [lt, le, gt, ge, eq, ne]
const floats: readonly Dtype[] = ['F32', 'BF16', 'F16', 'BF16', 'F32', 'F64']

/** Programs by chance, the same ones every time: shared subexpressions, all operations, any inputs, several outputs. */
export const randomPrograms = (count: number): ConformanceCase[] =>
  Array.from({ length: count }, (_, seed) => randomProgram(seed))

function randomProgram(seed: number): ConformanceCase {
  let state = seed + 1
  const below = (n: number) => fmix32((state = (state + 0x6d2b79f5) >>> 0)) % n
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!

  const rows = 1 + below(6)
  const columns = pick([1, 2, 3, 4, 5, 8, 13, 40, 257])
  const inputs = Array.from({ length: 1 + below(4) }, () => (below(6) === 0 ? pick(allDtypes) : pick(floats)))
  const values: Expression[] = inputs.map((_, slot) => input(slot))
  const masks: Mask[] = []
  const hasRank = below(5) === 0
  for (let i = 4 + below(25); i > 0; i--) {
    const kind = below(20)
    if (kind < 9) values.push(pick(binary)(pick(values), below(3) === 0 ? (below(2001) - 1000) / 300 : pick(values)))
    else if (kind < 11) values.push(pick(unary)(pick(values)))
    else if (kind < 13)
      masks.push(pick(comparisons)(pick(values), below(2) === 0 ? (below(21) - 10) / 4 : pick(values)))
    else if (kind < 14 && masks.length > 0) masks.push(pick([and, or])(pick(masks), pick(masks)))
    else if (kind < 15 && masks.length > 0) masks.push(not(pick(masks)))
    else if (kind < 16) masks.push(before(below(rows * columns + 20)))
    else if (kind < 17) values.push(uniform({ high: fmix32(seed), low: fmix32(i) }))
    else if (kind < 18) values.push(below(2) ? perRow(numbers(rows + 3, seed)) : perColumn(numbers(columns, seed)))
    else if (hasRank) values.push(rank(pick(values)))
    else if (masks.length > 0) values.push(select(pick(masks), pick(values), pick(values)))
  }
  const recent = values.slice(-6)
  const mask = masks.at(-1)
  return caseOf(
    'random',
    `program ${seed}`,
    inputs,
    {
      stores: [
        { value: values.at(-1)!, dtype: pick(floats) },
        ...(below(3) === 0 ? [{ value: pick(recent), dtype: pick(allDtypes) }] : []),
      ],
      reductions: Array.from({ length: below(4) }, () => ({
        reduce: pick(['sum', 'min', 'max'] as const),
        per: pick(['tensor', 'row', 'column'] as const),
        value: mask && below(3) === 0 ? mask : pick(recent),
      })),
      histograms: below(4) === 0 ? [{ value: abs(pick(recent)), bins: 512, lo: 0x3c000000, shift: 17 }] : [],
      locate: mask && below(4) === 0 ? [{ mask, nth: below(rows * columns) }] : [],
    },
    () =>
      [
        [0, rows],
        [1, rows],
        [3, rows],
        [0, 1],
      ].map(([row, count]) => {
        const elementCount = count! * columns
        return {
          elementCount,
          columns,
          offset: row! * columns,
          inputs: inputs.map((dtype, slot) =>
            slot % 3 === 2
              ? anyBytes(dtype, elementCount, seed + slot)
              : stored(dtype, (slot % 3 ? coarse : numbers)(elementCount, seed + slot)),
          ),
        }
      }),
  )
}
