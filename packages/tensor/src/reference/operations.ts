import type { BinaryOperation, Comparison, UnaryOperation } from '../language/expressions.ts'
import { expFloat32, logFloat32 } from '../numbers/elementary.ts'

/** Each writes the first `n` results. Storing to a Float32Array is the rounding: float64 of float32 operands loses nothing that it could change. */
type Unary = (out: Float32Array, a: Float32Array, n: number) => void
type Binary<Out> = (out: Out, a: Float32Array, b: Float32Array, n: number) => void

export const unary: Record<UnaryOperation, Unary> = {
  neg: (out, a, n) => {
    for (let i = 0; i < n; i++) out[i] = -a[i]!
  },
  abs: (out, a, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]!)
  },
  sqrt: (out, a, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.sqrt(a[i]!)
  },
  exp: (out, a, n) => {
    for (let i = 0; i < n; i++) out[i] = expFloat32(a[i]!)
  },
  log: (out, a, n) => {
    for (let i = 0; i < n; i++) out[i] = logFloat32(a[i]!)
  },
}

export const binary: Record<BinaryOperation, Binary<Float32Array>> = {
  add: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! + b[i]!
  },
  sub: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! - b[i]!
  },
  mul: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! * b[i]!
  },
  div: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = a[i]! / b[i]!
  },
  minimum: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.min(a[i]!, b[i]!)
  },
  maximum: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Math.max(a[i]!, b[i]!)
  },
}

export const comparison: Record<Comparison, Binary<Uint8Array>> = {
  lt: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! < b[i]!)
  },
  le: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! <= b[i]!)
  },
  gt: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! > b[i]!)
  },
  ge: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! >= b[i]!)
  },
  eq: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! === b[i]!)
  },
  ne: (out, a, b, n) => {
    for (let i = 0; i < n; i++) out[i] = Number(a[i]! !== b[i]!)
  },
}

/** Ranks of the values of each row of `columns`, ascending; NaN last, equal ones by position. */
export function rankRows(out: Float32Array, a: Float32Array, n: number, columns: number): void {
  const order = new Uint32Array(columns)
  for (let row = 0; row < n; row += columns) {
    for (let i = 0; i < columns; i++) order[i] = i
    order.sort((i, j) => {
      const x = a[row + i]!
      const y = a[row + j]!
      if (x < y) return -1
      if (x > y) return 1
      return Number(Number.isNaN(x)) - Number(Number.isNaN(y)) || i - j
    })
    for (let i = 0; i < columns; i++) out[row + order[i]!] = i
  }
}
