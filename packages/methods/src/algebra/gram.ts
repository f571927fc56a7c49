import { type Expression, mul, sum } from '@mk/tensor'
import type { Per } from './combine.ts'
import type { MethodContext } from '../declare/define-method.ts'
import { notFinite, type VectorOf } from './not-finite.ts'

/** Gram matrix: ⟨xᵢ, xⱼ⟩ for all i and j, symmetric. */
export type Gram = readonly (readonly number[])[]

/** One Gram matrix for the tensor, or one for each of its rows or columns. */
export interface Grams {
  readonly per: Per
  readonly count: number
  at(k: number): Gram
}

export interface GramOptions {
  readonly columns?: number | undefined
  readonly vectorOf?: (index: number) => VectorOf
}

/**
 * Computes the dot products of all pairs, in one pass over the inputs. Products are float32, their sums float64.
 * For task vectors pass the differences, not the models: differences of the models' dot products would cancel.
 * @param options.columns the tensor as a matrix with that many columns; absent: its last dimension
 * @param options.vectorOf what the i-th tensor is, for errors; absent: the i-th model
 * @throws MethodError `not-finite` where a length is no finite number.
 */
export async function gramMatrices(
  tensors: readonly Expression[],
  per: Per,
  context: MethodContext,
  { columns, vectorOf = (model) => ({ model }) }: GramOptions = {},
): Promise<Grams> {
  const name = (i: number, j: number): string => `${Math.min(i, j)} ${Math.max(i, j)}`
  const pairs = tensors.flatMap((a, i) =>
    tensors.slice(0, i + 1).map((b, j) => [name(i, j), sum(mul(b, a), per, columns)] as const),
  )
  const sums = await context.reduce(Object.fromEntries(pairs))
  const dots = tensors.map((_, i) => tensors.map((_, j) => asVector(sums[name(i, j)]!)))
  dots.forEach((row, model) => {
    if (!row[model]!.every(Number.isFinite)) throw notFinite(context, vectorOf(model))
  })
  return { per, count: dots[0]?.[0]?.length ?? 0, at: (k) => dots.map((row) => row.map((products) => products[k]!)) }
}

/** Computes the dot products of all pairs over the whole tensor. @throws MethodError `not-finite` */
export const gramMatrix = async (
  tensors: readonly Expression[],
  context: MethodContext,
  options?: GramOptions,
): Promise<Gram> => (await gramMatrices(tensors, 'tensor', context, options)).at(0)

/** Computes ‖Σ cᵢ·xᵢ‖ from the Gram matrix of x. */
export const lengthOf = (gram: Gram, coefficients: readonly number[]): number =>
  Math.sqrt(Math.max(0, dot(coefficients, dotsWith(gram, coefficients))))

/** Computes ⟨xᵢ, Σ cⱼ·xⱼ⟩ for each i from the Gram matrix of x. */
export const dotsWith = (gram: Gram, coefficients: readonly number[]): number[] =>
  gram.map((row) => dot(row, coefficients))

/** Computes the dot product of two lists of numbers. */
export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((total, value, i) => total + value * b[i]!, 0)

/** Divides the vectors by `lengths`: their Gram matrix from that of the undivided ones. */
export const scaleGram = (gram: Gram, lengths: readonly number[]): Gram =>
  gram.map((row, i) => row.map((product, j) => product / (lengths[i]! * lengths[j]!)))

const asVector = (sums: number | Float64Array): Float64Array =>
  typeof sums === 'number' ? Float64Array.of(sums) : sums
