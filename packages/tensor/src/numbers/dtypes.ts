import { dtypeBytes, type Dtype } from '@mk/safetensors'
import { formats, narrow, widen } from './small-floats.ts'

/**
 * Widens stored little-endian elements to float32: exact for the formats that fit, to nearest even for F64 and for integers
 * past 2^24. BOOL is 1 where the byte isn't 0. The bits of a NaN are unspecified.
 * @param bytes at any alignment, at the price of a copy where they are not aligned to the dtype
 * @param start index of the first element to read from `bytes`; as many as `into` holds are read
 */
export function decode(dtype: Dtype, bytes: Uint8Array, start: number, into: Float32Array): void {
  const source = view(dtype, bytes, start, into.length)
  switch (dtype) {
    case 'BF16': {
      const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
      for (let i = 0; i < into.length; i++) bits[i] = (source as Uint16Array)[i]! << 16
      return
    }
    case 'F16':
    case 'F8_E4M3':
    case 'F8_E5M2':
      return widen(formats[dtype], source as Uint16Array | Uint8Array, into)
    case 'I64':
    case 'U64':
      for (let i = 0; i < into.length; i++) into[i] = bigintToFloat((source as BigInt64Array)[i]!)
      return
    case 'BOOL':
      for (let i = 0; i < into.length; i++) into[i] = source[i] === 0 ? 0 : 1
      return
    case 'F64':
    case 'F32':
    case 'I32':
    case 'I16':
    case 'I8':
    case 'U32':
    case 'U16':
    case 'U8':
      into.set(source as Float32Array)
      return
    default:
      dtype satisfies never
  }
}

/**
 * Rounds float32 values to stored little-endian elements, to nearest even. Past the largest finite number F16, BF16 and
 * F8_E5M2 become infinite, F8_E4M3, which has no infinity, NaN. Integers saturate, and NaN becomes 0; BOOL is 0 for ±0,
 * else 1. The bits of a NaN are unspecified.
 * @param start index in `into` of the first element to write
 */
export function encode(dtype: Dtype, values: Float32Array, into: Uint8Array, start: number): void {
  const count = values.length
  const aligned = (into.byteOffset + start * dtypeBytes(dtype)) % dtypeBytes(dtype) === 0
  const target = aligned
    ? view(dtype, into, start, count)
    : view(dtype, new Uint8Array(count * dtypeBytes(dtype)), 0, count)
  switch (dtype) {
    case 'F16':
    case 'BF16':
    case 'F8_E4M3':
    case 'F8_E5M2':
      for (let i = 0; i < count; i++) target[i] = narrow(formats[dtype], values[i]!)
      break
    case 'I64':
    case 'U64': {
      const [low, high] = dtype === 'I64' ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n]
      for (let i = 0; i < count; i++) target[i] = clampToBigint(values[i]!, low, high)
      break
    }
    case 'I32':
    case 'I16':
    case 'I8':
    case 'U32':
    case 'U16':
    case 'U8': {
      const bits = dtypeBytes(dtype) * 8
      const [low, high] = dtype.startsWith('I') ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
      for (let i = 0; i < count; i++) target[i] = Math.min(Math.max(roundHalfEven(values[i]!), low), high)
      break
    }
    case 'BOOL':
      for (let i = 0; i < count; i++) target[i] = values[i] === 0 ? 0 : 1
      break
    case 'F64':
    case 'F32':
      ;(target as Float32Array).set(values)
      break
    default:
      dtype satisfies never
  }
  if (!aligned) into.set(new Uint8Array(target.buffer), start * dtypeBytes(dtype))
}

const arrays = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  F8_E4M3: Uint8Array,
  F8_E5M2: Uint8Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const satisfies Record<Dtype, unknown>

function view(dtype: Dtype, bytes: Uint8Array, start: number, count: number) {
  const size = dtypeBytes(dtype)
  const from = bytes.byteOffset + start * size
  return from % size === 0
    ? new arrays[dtype](bytes.buffer as ArrayBuffer, from, count)
    : new arrays[dtype](Uint8Array.prototype.slice.call(bytes, start * size, (start + count) * size).buffer, 0, count)
}

/** To nearest even in one rounding: the low bits beyond float64 are first folded into one that only says "not exactly". */
function bigintToFloat(value: bigint): number {
  const size = value < 0n ? -value : value
  if (size < 2n ** 53n) return Math.fround(Number(value))
  const folded = (size & 0xfffn) === 0n ? size : (size & ~0xfffn) | 0x1000n
  return Math.fround(value < 0n ? -Number(folded) : Number(folded))
}

function clampToBigint(value: number, low: bigint, high: bigint): bigint {
  const rounded = roundHalfEven(value)
  return rounded >= Number(high) ? high : rounded <= Number(low) ? low : BigInt(rounded)
}

/** NaN becomes 0. */
function roundHalfEven(value: number): number {
  if (Number.isNaN(value)) return 0
  const floor = Math.floor(value)
  const rest = value - floor
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1
}
