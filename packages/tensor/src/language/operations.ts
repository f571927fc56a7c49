import { expFloat32, logFloat32 } from '../numbers/elementary.ts'
import { rankRows } from '../numbers/rank-rows.ts'
import type { RandomKey } from '../numbers/random.ts'
import type { DenseMatrix, MatrixSide } from './dense-matrix.ts'

/** What an expression has for each element: a float32, or a boolean. */
export type Kind = 'value' | 'mask'

/** Elements in memory; masks are 0 and 1. */
type Elements<K extends Kind> = K extends 'value' ? Float32Array : Uint8Array

interface Facts {
  /** The kind of each operand by its name, in the order in which they are written. */
  readonly operands: Readonly<Record<string, Kind>>
  readonly result: Kind
  /** An element of the result depends on all of its row: kernel calls cover whole rows. */
  readonly wholeRows?: true
  /** Numbers about which it changes its ways, and the steps in which to go about them: for the conformance suite. */
  readonly edges?: readonly (readonly [around: number, step: number])[]
  /**
   * How often the random programs of the suite draw it, in relation to others of as many operands. Absent: they don't, and it
   * has random programs of its own, so that an operation that is added leaves the others as they are.
   */
  readonly random?: number
}

/**
 * Writes the first `count` results, which are whole rows of `columns` elements if it needs that. Storing to a Float32Array is the
 * rounding: float64 of float32 operands loses nothing that it could change.
 */
type Reference<F extends Facts> = (
  out: Elements<F['result']>,
  operands: { readonly [Name in keyof F['operands']]: Elements<F['operands'][Name]> },
  extent: { readonly count: number; readonly columns: number },
) => void

const row = <const F extends Facts>(facts: F, reference: Reference<F>) => ({ ...facts, reference })

const unary = { operands: { a: 'value' }, result: 'value' } as const
const binary = { operands: { a: 'value', b: 'value' }, result: 'value' } as const
const comparison = { operands: { a: 'value', b: 'value' }, result: 'mask' } as const
const logic = { operands: { a: 'mask', b: 'mask' }, result: 'mask' } as const

/**
 * Lists all that is computed from operands, and what it means: the language, programs, the reference runtime and the conformance suite
 * are made from these rows, and the types hold each runtime to have a kernel for each.
 */
export const operations = {
  neg: row({ ...unary, random: 1 }, (out, { a }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = -a[i]!
  }),
  abs: row({ ...unary, random: 1 }, (out, { a }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Math.abs(a[i]!)
  }),
  sqrt: row({ ...unary, random: 1 }, (out, { a }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Math.sqrt(a[i]!)
  }),
  /** As in numbers/elementary.ts. */
  exp: row(
    {
      ...unary,
      random: 1,
      edges: [
        [88.7228, 1e-6],
        [-87.3365, 1e-4],
        [-103.9, 1e-3],
      ],
    },
    (out, { a }, { count }) => {
      for (let i = 0; i < count; i++) out[i] = expFloat32(a[i]!)
    },
  ),
  /** As in numbers/elementary.ts. */
  log: row({ ...unary, random: 1, edges: [[1, 2 ** -23]] }, (out, { a }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = logFloat32(a[i]!)
  }),

  add: row({ ...binary, random: 2 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! + b[i]!
  }),
  sub: row({ ...binary, random: 2 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! - b[i]!
  }),
  mul: row({ ...binary, random: 2 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! * b[i]!
  }),
  div: row({ ...binary, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! / b[i]!
  }),
  /** NaN if either operand is, and −0 < 0; as is `maximum`. */
  minimum: row({ ...binary, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Math.min(a[i]!, b[i]!)
  }),
  maximum: row({ ...binary, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Math.max(a[i]!, b[i]!)
  }),

  /** Comparisons with NaN are false, but `ne` is true. */
  lt: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! < b[i]!)
  }),
  le: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! <= b[i]!)
  }),
  gt: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! > b[i]!)
  }),
  ge: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! >= b[i]!)
  }),
  eq: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! === b[i]!)
  }),
  ne: row({ ...comparison, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = Number(a[i]! !== b[i]!)
  }),

  and: row({ ...logic, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! & b[i]!
  }),
  or: row({ ...logic, random: 1 }, (out, { a, b }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! | b[i]!
  }),
  not: row({ operands: { a: 'mask' }, result: 'mask', random: 1 }, (out, { a }, { count }) => {
    for (let i = 0; i < count; i++) out[i] = a[i]! ^ 1
  }),
  select: row(
    { operands: { mask: 'mask', a: 'value', b: 'value' }, result: 'value', random: 1 },
    (out, { mask, a, b }, { count }) => {
      for (let i = 0; i < count; i++) out[i] = mask[i] ? a[i]! : b[i]!
    },
  ),

  /** Position 0 … columns−1 of each value among its row, ascending: NaN last, −0 equal to 0, equal values by lowest index. */
  rank: row({ ...unary, wholeRows: true, random: 1 }, (out, { a }, { count, columns }) =>
    rankRows(out, a, count, columns),
  ),
} as const

type Operations = typeof operations

/** The name of an operation of the language. */
export type Operation = keyof Operations

/** Something of type T for each operand of an operation, by name. */
export type OperandsOf<Op extends Operation, T> = { readonly [Name in keyof Operations[Op]['operands']]: T }

/** An operation of given result, as a node whose operands are nodes. */
type OperationNode<K extends Kind> = {
  [Op in Operation]: Operations[Op]['result'] extends K
    ? { readonly op: Op } & {
        readonly [Name in keyof Operations[Op]['operands']]: Operations[Op]['operands'][Name] extends 'value'
          ? Expression
          : Mask
      }
    : never
}[Operation]

/**
 * Elementwise expressions over the inputs of a merge, as plain data.
 *
 * Values are float32: an input widens to it, every operation rounds to it, and the output dtype rounds once more,
 * to nearest even. Masks are booleans and only compare, logic and `select` handle them. Every expression has one
 * value per element of the tensor; numbers and vectors broadcast.
 */
export type Expression =
  | { readonly op: 'input'; readonly slot: number }
  | { readonly op: 'number'; readonly value: number }
  /** One value per row or per column of the tensor seen as a matrix. */
  | { readonly op: 'vector'; readonly values: Float32Array; readonly per: 'row' | 'column' }
  /** Uniform in [0, 1), a function of the key and the element's flat index only (see numbers/random.ts). */
  | { readonly op: 'uniform'; readonly key: RandomKey }
  /** A product with a matrix in memory, computed block by block (`times`). */
  | { readonly op: 'times'; readonly value: Expression; readonly matrix: DenseMatrix; readonly on: MatrixSide }
  | OperationNode<'value'>

/** A truth value for each element of a tensor. */
export type Mask =
  /** True where the element's flat index in the tensor is less than `end` (an integer up to 2^53). */
  { readonly op: 'before'; readonly end: number } | OperationNode<'mask'>

/** Where a builder takes an expression it also takes a plain number. */
export type Operand = Expression | number

/** Tells a mask from a number or an expression. */
export const isMask = (node: Operand | Mask): node is Mask =>
  typeof node === 'object' &&
  node !== null &&
  (node.op === 'before' || (isOperation(node.op) && operations[node.op].result === 'mask'))

/** Tells whether the table has an operation of that name. */
export const isOperation = (op: string): op is Operation => Object.hasOwn(operations, op)

const operand = (value: Operand): Expression => (typeof value === 'number' ? { op: 'number', value } : value)

/** The operations with exactly these operands and this result. */
type Like<F extends Facts> = {
  [Op in Operation]: F['operands'] extends Operations[Op]['operands']
    ? Operations[Op] extends { readonly operands: F['operands']; readonly result: F['result'] }
      ? Op
      : never
    : never
}[Operation]

const ofOne =
  (op: Like<typeof unary>) =>
  (a: Operand): Expression => ({ op, a: operand(a) })
const ofTwo =
  (op: Like<typeof binary>) =>
  (a: Operand, b: Operand): Expression => ({ op, a: operand(a), b: operand(b) })
const comparing =
  (op: Like<typeof comparison>) =>
  (a: Operand, b: Operand): Mask => ({ op, a: operand(a), b: operand(b) })

/** Reads the elements of the input in that slot. */
export const input = (slot: number): Expression => ({ op: 'input', slot })
/** Draws anew at each call: reuse the expression, and the key object, where the numbers are to be the same. */
export const uniform = (key: RandomKey): Expression => ({ op: 'uniform', key })
/** Spreads one value per row along the rows of the matrix that has so many. */
export const perRow = (values: Float32Array): Expression => ({ op: 'vector', values, per: 'row' })
/** Spreads one value per column down the columns of the matrix that has so many. */
export const perColumn = (values: Float32Array): Expression => ({ op: 'vector', values, per: 'column' })
/** Tells whether the element's flat index is less than `end`. */
export const before = (end: number): Mask => ({ op: 'before', end })

/** Negates each value. */
export const neg = ofOne('neg')
/** Takes each value without its sign. */
export const abs = ofOne('abs')
/** Takes the square root. */
export const sqrt = ofOne('sqrt')
/** Raises e to each value. */
export const exp = ofOne('exp')
/** Takes the natural logarithm. */
export const log = ofOne('log')
/** Ranks within rows of the matrix that the stage's vectors imply, else of the last dimension. NaN comes last. */
export const rank = ofOne('rank')

/** Adds. */
export const add = ofTwo('add')
/** Subtracts b from a. */
export const sub = ofTwo('sub')
/** Multiplies. */
export const mul = ofTwo('mul')
/** Divides a by b. */
export const div = ofTwo('div')
/** Takes the smaller of two values, NaN if either is; for the smallest of all see `min`. */
export const minimum = ofTwo('minimum')
/** Takes the larger of two values, NaN if either is; for the largest of all see `max`. */
export const maximum = ofTwo('maximum')

/** Tells whether a < b; false with NaN, as are the others but `ne`. */
export const lt = comparing('lt')
/** Tells whether a ≤ b. */
export const le = comparing('le')
/** Tells whether a > b. */
export const gt = comparing('gt')
/** Tells whether a ≥ b. */
export const ge = comparing('ge')
/** Tells whether a = b. */
export const eq = comparing('eq')
/** Tells whether a ≠ b; true with NaN. */
export const ne = comparing('ne')

/** Tells whether both are true. */
export const and = (a: Mask, b: Mask): Mask => ({ op: 'and', a, b })
/** Tells whether either is true. */
export const or = (a: Mask, b: Mask): Mask => ({ op: 'or', a, b })
/** Tells whether it is false. */
export const not = (a: Mask): Mask => ({ op: 'not', a })
/** Takes a where the mask is true, b elsewhere. */
export const select = (mask: Mask, a: Operand, b: Operand): Expression => ({
  op: 'select',
  mask,
  a: operand(a),
  b: operand(b),
})
