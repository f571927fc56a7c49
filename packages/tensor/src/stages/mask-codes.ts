import { add, type Expression, ge, type Mask, select, sub } from '../language/operations.ts'

/** So many masks have a bit each in one U8. */
export const MOST_MASKS = 8

/** Makes of masks one number for each element: the sum of 2^i of those that are true. */
export const maskCodes = (masks: readonly Mask[]): Expression =>
  masks.map((mask, i) => select(mask, 2 ** i, 0)).reduce((a, b) => add(a, b))

/** Makes the masks of the numbers again. */
export function masksOfCodes(codes: Expression, count: number): readonly Mask[] {
  const masks: Mask[] = []
  let rest = codes
  for (let i = count - 1; i >= 0; i--) {
    const mask = ge(rest, 2 ** i)
    masks.unshift(mask)
    if (i > 0) rest = sub(rest, select(mask, 2 ** i, 0))
  }
  return masks
}
