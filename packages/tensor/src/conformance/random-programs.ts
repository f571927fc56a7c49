import type { Dtype } from '@mk/safetensors'
import {
  abs,
  before,
  type Expression,
  input,
  type Kind,
  type Mask,
  type Operation,
  operations,
  perColumn,
  perRow,
  uniform,
} from '../language/operations.ts'
import { fmix32 } from '../numbers/random.ts'
import { lower } from '../program/lower.ts'
import type { LowerRequest } from '../program/lower-request.ts'
import type { Program } from '../program/program.ts'
import { caseOf, type ConformanceCase, hashOf } from './case.ts'
import { allDtypes, anyBytes, coarse, numbers, stored } from './data.ts'
import { createDice, type Dice } from './dice.ts'

const floats: readonly Dtype[] = ['F32', 'BF16', 'F16', 'BF16', 'F32', 'F64']
const reductions = ['sum', 'min', 'max'] as const
const directions = ['tensor', 'row', 'column'] as const

/** Draws programs by chance, the same ones every time: shared subexpressions, all operations, any inputs, several outputs. */
export const randomCases = (): ConformanceCase[] => [
  ...Array.from({ length: 200 }, (_, seed) => randomCase(seed)),
  ...ownOperations.flatMap((op) => Array.from({ length: 10 }, (_, seed) => randomCase(seed, op))),
]

const names = Object.keys(operations) as Operation[]
const weightOf = (op: Operation): number => {
  const facts: { readonly operands: object; readonly random?: number } = operations[op]
  return facts.random ?? 0
}
/** Those that the first programs do without, so that they stay the same when one is added. */
const ownOperations = names.filter((op) => weightOf(op) === 0)

/** The operations of some operands and result that are drawn, as often as they are to be. */
function drawn(operands: readonly Kind[], result: Kind, wholeRows = false): readonly Operation[] {
  const fitting = names.filter(
    (op) =>
      Object.values(operations[op].operands).join() === operands.join() &&
      operations[op].result === result &&
      'wholeRows' in operations[op] === wholeRows,
  )
  return [1, 2, 3].flatMap((times) => fitting.filter((op) => weightOf(op) >= times))
}

const pools = {
  binary: drawn(['value', 'value'], 'value'),
  unary: drawn(['value'], 'value'),
  comparison: drawn(['value', 'value'], 'mask'),
  logic: drawn(['mask', 'mask'], 'mask'),
  negation: drawn(['mask'], 'mask'),
  selection: drawn(['mask', 'value', 'value'], 'value'),
  ofRows: drawn(['value'], 'value', true),
}

interface Grown {
  readonly rows: number
  readonly columns: number
  readonly inputs: readonly Dtype[]
  readonly values: readonly Expression[]
  readonly masks: readonly Mask[]
}

/** @param own an operation that is often drawn, besides those of the pools */
function grow(dice: Dice, seed: number, own?: Operation): Grown {
  const { below, pick } = dice
  const rows = 1 + below(6)
  const columns = pick([1, 2, 3, 4, 5, 8, 13, 40, 257])
  const inputs = Array.from({ length: 1 + below(4) }, () => (below(6) === 0 ? pick(allDtypes) : pick(floats)))
  const values: Expression[] = inputs.map((_, slot) => input(slot))
  const masks: Mask[] = []
  const hasRows = below(5) === 0
  const oneOf = (pool: readonly Operation[]) => (pool.length === 1 ? pool[0]! : pick(pool))
  /** An operation on what is there, if there is anything of the kinds that it takes. */
  const push = (op: Operation, second?: () => Expression) => {
    const { operands, result } = operations[op]
    const kinds = Object.entries<Kind>(operands)
    if (masks.length === 0 && kinds.some(([, kind]) => kind === 'mask')) return
    const nodes = kinds.map(([name, kind], i) => [
      name,
      i === 1 && second ? second() : kind === 'mask' ? pick(masks) : pick(values),
    ])
    const node = { op, ...Object.fromEntries(nodes) } as Expression & Mask
    if (result === 'mask') masks.push(node)
    else values.push(node)
  }
  const number = (value: number): Expression => ({ op: 'number', value })
  for (let i = 4 + below(25); i > 0; i--) {
    if (own !== undefined && below(3) === 0) push(own)
    const kind = below(20)
    if (kind < 9) push(oneOf(pools.binary), () => (below(3) === 0 ? number((below(2001) - 1000) / 300) : pick(values)))
    else if (kind < 11) push(oneOf(pools.unary))
    else if (kind < 13)
      push(oneOf(pools.comparison), () => (below(2) === 0 ? number((below(21) - 10) / 4) : pick(values)))
    else if (kind < 14 && masks.length > 0) push(oneOf(pools.logic))
    else if (kind < 15 && masks.length > 0) push(oneOf(pools.negation))
    else if (kind < 16) masks.push(before(below(rows * columns + 20)))
    else if (kind < 17) values.push(uniform({ high: fmix32(seed), low: fmix32(i) }))
    else if (kind < 18) values.push(below(2) ? perRow(numbers(rows + 3, seed)) : perColumn(numbers(columns, seed)))
    else if (hasRows) push(oneOf(pools.ofRows))
    else push(oneOf(pools.selection))
  }
  return { rows, columns, inputs, values, masks }
}

/** A case of the suite. It has the name of its content, so that what is said of it holds when others come or go. */
function randomCase(seed: number, own?: Operation): ConformanceCase {
  const dice = createDice(seed)
  const { below, pick } = dice
  const { rows, columns, inputs, values, masks } = grow(dice, seed, own)
  const recent = values.slice(-6)
  const mask = masks.at(-1)
  const request: LowerRequest = {
    stores: [
      { value: values.at(-1)!, dtype: pick(floats) },
      ...(below(3) === 0 ? [{ value: pick(recent), dtype: pick(allDtypes) }] : []),
    ],
    reductions: Array.from({ length: below(4) }, () => ({
      reduce: pick(reductions),
      per: pick(directions),
      value: mask && below(3) === 0 ? mask : pick(recent),
    })),
    histograms: below(4) === 0 ? [{ value: abs(pick(recent)), bins: 512, lo: 0x3c000000, shift: 17 }] : [],
    locate: mask && below(4) === 0 ? [{ mask, nth: below(rows * columns) }] : [],
  }
  const name = `program ${hashOf(lower(request, inputs).program)}`
  return caseOf('random', name, inputs, request, () =>
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

/**
 * Draws a program for fuzzing: with any outputs in any order, and instructions that no output needs. `randomCall` draws calls of it.
 */
export function randomProgram(dice: Dice): Program {
  const { below, pick, chance } = dice
  const { inputs, values, masks } = grow(dice, dice.word(), pick(names))
  const value = () => pick(values)
  const several = <T>(make: () => T): T[] => Array.from({ length: below(3) }, make)
  const { program } = lower(
    {
      stores: [
        { value: values.at(-1)!, dtype: pick(allDtypes) },
        ...several(() => ({ value: value(), dtype: pick(allDtypes) })),
      ],
      reductions: several(() => ({
        reduce: pick(reductions),
        per: pick(directions),
        value: masks.length > 0 && chance(0.3) ? pick(masks) : value(),
      })),
      histograms: several(() => ({ value: value(), bins: pick([1, 2, 3, 4, 7, 64, 513, 2048]), lo: 0, shift: 0 })),
      collections: several(() => ({
        value: value(),
        windows: Array.from({ length: 1 + below(3) }, () => ({ lo: 0, hi: 0 })),
      })),
      locate: masks.length > 0 ? several(() => ({ mask: pick(masks), nth: 0 })) : [],
    },
    inputs,
  )
  const shuffled = program.outputs
    .map((output) => ({ output, place: dice.word() }))
    .toSorted((x, y) => x.place - y.place)
  return { ...program, outputs: shuffled.slice(0, 1 + below(Math.min(4, shuffled.length))).map(({ output }) => output) }
}
