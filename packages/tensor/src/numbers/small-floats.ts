/** A floating-point format of at most 16 bits: sign, exponent, mantissa. */
interface SmallFloat {
  readonly mantissaBits: number
  readonly bias: number
  readonly sign: number
  /** Bits of infinity, or of the pattern past the largest finite number where there is none. */
  readonly overflow: number
  readonly nan: number
}

export const formats = {
  F16: { mantissaBits: 10, bias: 15, sign: 0x8000, overflow: 0x7c00, nan: 0x7e00 },
  BF16: { mantissaBits: 7, bias: 127, sign: 0x8000, overflow: 0x7f80, nan: 0x7fc0 },
  F8_E5M2: { mantissaBits: 2, bias: 15, sign: 0x80, overflow: 0x7c, nan: 0x7e },
  F8_E4M3: { mantissaBits: 3, bias: 7, sign: 0x80, overflow: 0x7f, nan: 0x7f },
} as const satisfies Record<string, SmallFloat>

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

/** Writes the number of each bit pattern, exactly. Three nanoseconds or so each: by integers, but for subnormal numbers. */
export function widen(
  { mantissaBits, bias, sign, overflow, nan }: SmallFloat,
  patterns: Uint16Array | Uint8Array,
  into: Float32Array,
): void {
  const bits = new Int32Array(into.buffer, into.byteOffset, into.length)
  const smallestNormal = 1 << mantissaBits
  const step = 2 ** (1 - bias - mantissaBits)
  const shift = 23 - mantissaBits
  const rebias = (127 - bias) << 23
  const signShift = Math.clz32(sign)
  for (let i = 0; i < into.length; i++) {
    const pattern = patterns[i]!
    const size = pattern & (sign - 1)
    const signBit = (pattern & sign) << signShift
    if (size >= smallestNormal && size < overflow) bits[i] = signBit | ((size << shift) + rebias)
    else if (size < smallestNormal) into[i] = signBit < 0 ? -size * step : size * step
    else bits[i] = signBit | (size > overflow || overflow === nan ? 0x7fc00000 : 0x7f800000)
  }
}

/** Finds the bit pattern nearest to a float32, ties to even. */
export function narrow({ mantissaBits, bias, sign, overflow, nan }: SmallFloat, value: number): number {
  float[0] = value
  const size = bits[0]! & 0x7fffffff
  const negative = bits[0]! === size ? 0 : sign
  if (size > 0x7f800000) return negative | nan
  const shift = 23 - mantissaBits
  const rebias = 127 - bias
  const rounded =
    size >>> 23 > rebias
      ? ((size + (1 << (shift - 1)) - 1 + ((size >>> shift) & 1)) >>> shift) - (rebias << mantissaBits)
      : // A subnormal is a whole number of its smallest step; adding 2^52 rounds to it.
        Math.abs(value) * 2 ** (bias - 1 + mantissaBits) + 2 ** 52 - 2 ** 52
  return negative | Math.min(rounded, overflow)
}
