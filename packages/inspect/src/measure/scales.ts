import type { StreamedTensors } from '@mk/merge'
import { abs, type Expression, max, mul, sub } from '@mk/tensor'

/** A tensor, or its difference to another, whose products are added up in float32: times a power of two where that can't hold them. */
export interface Vector {
  readonly value: Expression
  readonly less?: Expression | undefined
  /** 1 if absent. */
  readonly scale?: number
}

/** Some devices take what is smaller than 2^-126 for 0, and that is to be no more of a sum than its rounding, 2^-19. */
const LEAST_MEAN_SQUARE = 2 ** -107

/** Tells whether float32 could hold the squares of so many elements, by their sum: one that is 0 may be of elements that aren't. */
export const areHeld = (sumOfSquares: number, elementCount: number): boolean =>
  Number.isFinite(sumOfSquares) && sumOfSquares >= elementCount * LEAST_MEAN_SQUARE

/** What is measured of vectors, and by what. */
interface Measuring<T> {
  readonly vectors: readonly Vector[]
  /** What there is without scales. */
  readonly measure: (vectors: readonly Vector[]) => Promise<T>
  /** The sum of the squares of each vector, as far as it was held; undefined where all are known to be 0. */
  readonly squaresOf: (found: T) => readonly (number | undefined)[]
  /** What was measured of them as they are. */
  readonly found: T
}

/** Measures vectors again, with scales, where float32 could not hold their squares; gives what was found otherwise. */
export async function remeasure<T>(
  tensors: StreamedTensors,
  { vectors, measure, squaresOf, found }: Measuring<T>,
): Promise<T> {
  const asked = squaresOf(found).flatMap((square, index) =>
    square === undefined || areHeld(square, tensors.elementCount)
      ? []
      : [[String(index), max(abs(scaled(vectors[index]!)))] as const],
  )
  if (asked.length === 0) return found
  const largest = await tensors.reduce(Object.fromEntries(asked))
  const inRange = vectors.map((vector, index) => ({ ...vector, scale: scaleFor(largest[index] ?? 0) }))
  return inRange.some(({ scale }) => scale !== 1) ? measure(inRange) : found
}

/** The power of two that makes the largest magnitude about 1, as far as float32 has it; that of a difference may be infinite. */
const scaleFor = (largest: number): number =>
  largest === 0 ? 1 : 2 ** -Math.max(-127, Math.min(126, Math.floor(Math.log2(largest))))

/** The elements of a vector times its scale. */
export function scaled({ value, less, scale = 1 }: Vector): Expression {
  const times = (factor: Expression) => (scale === 1 ? factor : mul(factor, scale))
  if (less === undefined) return times(value)
  // Tensors whose difference is past float32 are made small before it, small differences of large tensors large after it.
  return scale < 1 ? sub(times(value), times(less)) : times(sub(value, less))
}

/** A sum of products of scaled vectors, or of one, as it is without scales. */
export const unscaled = (sum: number, ...vectors: readonly Vector[]): number =>
  vectors.reduce((rest, { scale = 1 }) => rest / scale, sum)

/**
 * Tells whether a sum of squares that was found as one of larger numbers is known to fewer digits than these: it is less than a 64th.
 * So it is of a tensor known by its difference to a much larger one.
 */
export const isRounding = (sum: number, ...larger: readonly number[]): boolean =>
  sum < larger.reduce((a, b) => a + b, 0) / 64
