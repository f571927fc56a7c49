import { type Mask, type Operand, type ReduceOptions, type Session, sum } from '@mk/tensor'

/** Sums each value over the tensor, all in one pass; a mask counts its elements. */
export async function sumEach(
  values: readonly (Operand | Mask)[],
  session: Session,
  options?: ReduceOptions,
): Promise<number[]> {
  if (values.length === 0) return []
  const sums = await session.reduce(
    Object.fromEntries(values.map((value, i) => [i, sum(value, 'tensor')] as const)),
    options,
  )
  return values.map((_, i) => sums[i]!)
}
