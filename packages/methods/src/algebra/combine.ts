import { add, perColumn, type Expression, mul, type Operand, perRow } from '@mk/tensor'

/** The vectors that a tensor is taken as: one, its rows, or its columns. */
export type Per = 'tensor' | 'row' | 'column'

/** Adds up expressions; none give 0. */
export const total = (terms: readonly Expression[]): Expression =>
  terms.length === 0 ? { op: 'number', value: 0 } : terms.reduce((a, b) => add(a, b))

/** Computes Σ cᵢ·xᵢ. */
export const linearCombination = (tensors: readonly Expression[], coefficients: readonly Operand[]): Expression =>
  total(tensors.map((x, i) => mul(x, coefficients[i]!)))

/** Coefficients that differ by row or column: `at(k)` gives those of the k-th, one for each tensor. */
export interface Coefficients {
  readonly per: Per
  readonly count: number
  at(k: number): readonly number[]
}

/** Computes Σ cᵢ·xᵢ with coefficients for the tensor, for each row or for each column. */
export function combinePer(tensors: readonly Expression[], { per, count, at }: Coefficients): Expression {
  if (per === 'tensor') return linearCombination(tensors, at(0))
  const vectors = tensors.map(() => new Float32Array(count))
  for (let k = 0; k < count; k++) {
    const coefficients = at(k)
    vectors.forEach((vector, i) => (vector[k] = coefficients[i]!))
  }
  return linearCombination(tensors, vectors.map(per === 'row' ? perRow : perColumn))
}
