import { abs, and, type Expression, input, le, type Mask, select } from '@mk/tensor'

const LARGEST = (2 - 2 ** -23) * 2 ** 127

/** Tells which elements are finite. */
export const isFinite = (value: Expression): Mask => le(abs(value), LARGEST)

/** The inputs in the slots from 0 on, as they are. */
export const plainInputs = (count: number): Expression[] => Array.from({ length: count }, (_, slot) => input(slot))

/** The same with 0 in the place of every element that isn't finite in each of them. */
export function maskedInputs(count: number): Expression[] {
  const inputs = plainInputs(count)
  const all = inputs.map(isFinite).reduce((a, b) => and(a, b))
  return inputs.map((value) => select(all, value, 0))
}
