import type { RandomKey } from '../numbers/random.ts'

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
  | { readonly op: UnaryOperation; readonly a: Expression }
  | { readonly op: BinaryOperation; readonly a: Expression; readonly b: Expression }
  | { readonly op: 'select'; readonly mask: Mask; readonly a: Expression; readonly b: Expression }
  /** Position 0 … columns−1 of each value among its row, ascending; equal values go by lowest index. */
  | { readonly op: 'rank'; readonly a: Expression }

export type Mask =
  | { readonly op: Comparison; readonly a: Expression; readonly b: Expression }
  | { readonly op: 'and' | 'or'; readonly a: Mask; readonly b: Mask }
  | { readonly op: 'not'; readonly a: Mask }
  /** True where the element's flat index in the tensor is less than `end` (an integer up to 2^53). */
  | { readonly op: 'before'; readonly end: number }

export type UnaryOperation = 'neg' | 'abs' | 'sqrt' | 'exp' | 'log'
export type BinaryOperation = 'add' | 'sub' | 'mul' | 'div' | 'minimum' | 'maximum'
export type Comparison = 'lt' | 'le' | 'gt' | 'ge' | 'eq' | 'ne'

/** Where a builder takes an expression it also takes a plain number. */
export type Operand = Expression | number

const operand = (value: Operand): Expression => (typeof value === 'number' ? { op: 'number', value } : value)

const unary =
  (op: UnaryOperation) =>
  (a: Operand): Expression => ({ op, a: operand(a) })
const binary =
  (op: BinaryOperation) =>
  (a: Operand, b: Operand): Expression => ({ op, a: operand(a), b: operand(b) })
const comparison =
  (op: Comparison) =>
  (a: Operand, b: Operand): Mask => ({ op, a: operand(a), b: operand(b) })

/** The elements of the input in that slot. */
export const input = (slot: number): Expression => ({ op: 'input', slot })
/** Each call is computed anew: reuse the expression, and the key object, where the numbers are to be the same. */
export const uniform = (key: RandomKey): Expression => ({ op: 'uniform', key })
export const perRow = (values: Float32Array): Expression => ({ op: 'vector', values, per: 'row' })
export const perColumn = (values: Float32Array): Expression => ({ op: 'vector', values, per: 'column' })
/** Within rows of the matrix that the stage's vectors imply, else of the last dimension. NaN comes last. */
export const rank = (a: Operand): Expression => ({ op: 'rank', a: operand(a) })

export const neg = unary('neg')
export const abs = unary('abs')
export const sqrt = unary('sqrt')
export const exp = unary('exp')
export const log = unary('log')

export const add = binary('add')
export const sub = binary('sub')
export const mul = binary('mul')
export const div = binary('div')
export const minimum = binary('minimum')
export const maximum = binary('maximum')

export const lt = comparison('lt')
export const le = comparison('le')
export const gt = comparison('gt')
export const ge = comparison('ge')
export const eq = comparison('eq')
export const ne = comparison('ne')

export const and = (a: Mask, b: Mask): Mask => ({ op: 'and', a, b })
export const or = (a: Mask, b: Mask): Mask => ({ op: 'or', a, b })
export const not = (a: Mask): Mask => ({ op: 'not', a })
export const before = (end: number): Mask => ({ op: 'before', end })
export const select = (mask: Mask, a: Operand, b: Operand): Expression => ({
  op: 'select',
  mask,
  a: operand(a),
  b: operand(b),
})
