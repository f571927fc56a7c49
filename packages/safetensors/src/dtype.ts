/** An element type, in the format's own spelling. */
export type Dtype =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F8_E4M3'
  | 'F8_E5M2'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL'

const bytesByDtype: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
}

/** All element types that this package reads and writes. */
export const dtypes = Object.keys(bytesByDtype) as readonly Dtype[]

/** Element types of the format that are of no use here: elements smaller than a byte, bare exponents, complex numbers. */
export const unsupportedDtypes: readonly string[] = [
  'F4',
  'F6_E2M3',
  'F6_E3M2',
  'F8_E8M0',
  'F8_E4M3FNUZ',
  'F8_E5M2FNUZ',
  'C64',
]

/** Tells whether a name is that of a supported element type. */
export const isDtype = (name: string): name is Dtype => Object.hasOwn(bytesByDtype, name)

/** Gives the bytes of one element. */
export const dtypeBytes = (dtype: Dtype): number => bytesByDtype[dtype]

/** Counts the elements of a tensor of this shape: 1 for a scalar, whose shape is []. */
export function elementCount(shape: readonly number[]): number {
  let count = 1
  for (let axis = 0; axis < shape.length; axis++) count *= shape[axis]!
  return count
}

/** Tells whether two tensors have the same dimensions in the same order. */
export const isSameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((size, axis) => size === b[axis]))
