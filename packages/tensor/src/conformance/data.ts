import { dtypeBytes, type Dtype } from '@mk/safetensors'
import { encode } from '../numbers/dtypes.ts'
import { fmix32, uniformAt } from '../numbers/random.ts'

/** Numbers at the edges of float32 and of the formats that it is rounded to. */
export const special = Float32Array.of(
  0,
  -0,
  1,
  -1,
  0.5,
  -1.5,
  2,
  3,
  1 / 3,
  -1e-3,
  255.5,
  65504,
  65519.99,
  65520,
  -65536,
  448,
  464,
  57344,
  61440,
  2 ** -14,
  2 ** -24,
  2 ** -25,
  -(2 ** -26),
  2 ** -126,
  -(2 ** -127),
  2 ** -149,
  -(2 ** -149),
  3.4028234663852886e38,
  -3.4028234663852886e38,
  2 ** 127 * (2 - 2 ** -8),
  Infinity,
  -Infinity,
  NaN,
  16777217,
  2147483648,
  -2147483904,
  9.3e18,
  1.9e19,
)

/** Draws numbers of both signs and of very different sizes: 0.001 to 1000, some zeros. The order of their sum matters. */
export function numbers(count: number, seed: number): Float32Array {
  const [sizes, signs] = [
    { high: seed, low: 1 },
    { high: seed, low: 2 },
  ]
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    const sign = uniformAt(signs, i)
    values[i] = sign < 0.05 ? 0 : (sign < 0.5 ? -1 : 1) * 10 ** (6 * uniformAt(sizes, i) - 3)
  }
  return values
}

/** Draws numbers of which many are equal, with the special ones among them. */
export const coarse = (count: number, seed: number): Float32Array =>
  numbers(count, seed).map((value, i) =>
    fmix32(i + seed) % 16 === 0 ? special[fmix32(i ^ seed) % special.length]! : Math.round(value / 64) / 4,
  )

export const stored = (dtype: Dtype, values: Float32Array): Uint8Array => {
  const bytes = new Uint8Array(values.length * dtypeBytes(dtype))
  encode(dtype, values, bytes, 0)
  return bytes
}

/** Draws any bits at all: for floats every kind of NaN, subnormals and infinities too. */
export const anyBytes = (dtype: Dtype, count: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: count * dtypeBytes(dtype) }, (_, i) => fmix32(fmix32(i + 1) ^ seed))

/** Lists every bit pattern of a format of 8 or 16 bits. */
export const everyPattern = (bytes: 1 | 2): Uint8Array =>
  bytes === 1
    ? Uint8Array.from({ length: 256 }, (_, i) => i)
    : new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer)

export const allDtypes: readonly Dtype[] = [
  'F64',
  'F32',
  'F16',
  'BF16',
  'F8_E4M3',
  'F8_E5M2',
  'I64',
  'I32',
  'I16',
  'I8',
  'U64',
  'U32',
  'U16',
  'U8',
  'BOOL',
]
export const lengths: readonly number[] = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 1000, 4097]
