import type { GgufBigintType, GgufNumberType } from './metadata.ts'

/** Arrays whose elements are as in a file, where the machine is little-endian as all that run JavaScript are. */
export const numberArrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
} as const satisfies Record<GgufNumberType | GgufBigintType, unknown>
