/** Types of numbers whose values are exact as a JavaScript number. */
export type GgufNumberType = 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint32' | 'int32' | 'float32' | 'float64'

/** Types of integers that are bigints here. */
export type GgufBigintType = 'uint64' | 'int64'

/** All types of a value, at their number in a file. */
export const ggufValueTypes = [
  'uint8',
  'int8',
  'uint16',
  'int16',
  'uint32',
  'int32',
  'float32',
  'bool',
  'string',
  'array',
  'uint64',
  'int64',
  'float64',
] as const satisfies readonly (GgufNumberType | GgufBigintType | 'bool' | 'string' | 'array')[]

/** A value of the metadata with its type. */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number }
  | { readonly type: GgufBigintType; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  /** Bytes that are no UTF-8 stand as lone surrogates U+DC80 to U+DCFF, and are written as those bytes again. */
  | { readonly type: 'string'; readonly value: string }
  | GgufArray

/** Values of one type. Numbers that were read are in the typed array of their type. */
export type GgufArray = { readonly type: 'array' } & (
  | { readonly elementType: GgufNumberType; readonly values: ArrayLike<number> }
  | { readonly elementType: GgufBigintType; readonly values: ArrayLike<bigint> }
  | { readonly elementType: 'bool'; readonly values: readonly boolean[] }
  | { readonly elementType: 'string'; readonly values: readonly string[] }
  | { readonly elementType: 'array'; readonly values: readonly GgufArray[] }
)

/** Keys and values in the order of the file. */
export type GgufMetadata = ReadonlyMap<string, GgufValue>
