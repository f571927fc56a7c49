import { count, type Expression, gt, lt, mul, type Reduction } from '@mk/tensor'

/** So much that the product of any two elements that aren't 0 isn't 0 either. */
const LARGER: Expression = { op: 'number', value: 2 ** 100 }

/** Makes differences such that the product of two tells whether their signs are equal; one that is too large becomes infinite, and keeps its sign. */
export const enlarge = (difference: Expression): Expression => mul(difference, LARGER)

type Count = Reduction & { readonly per: 'tensor' }

/** Counts elements in which two enlarged differences have equal signs, and opposite ones; those in which one is 0 have neither. */
export function countSigns(a: Expression, b: Expression): { readonly equal: Count; readonly opposite: Count } {
  const product = mul(a, b)
  return { equal: count(gt(product, 0)), opposite: count(lt(product, 0)) }
}
