import type { Dtype } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { decode, encode } from './dtypes.ts'

const decoded = (dtype: Dtype, ...bytes: number[]) => {
  const into = new Float32Array(bytes.length / size[dtype])
  decode(dtype, Uint8Array.from(bytes), 0, into)
  return [...into]
}
const encodedAll = (dtype: Dtype, values: Float32Array) => {
  const into = new Uint8Array(values.length * size[dtype])
  encode(dtype, values, into, 0)
  return into
}
const encoded = (dtype: Dtype, ...values: number[]) => encodedAll(dtype, Float32Array.from(values))
const size: Record<Dtype, number> = {
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

/** Value of a pattern by the textbook: sign, exponent, mantissa. */
function textbook(pattern: number, exponentBits: number, mantissaBits: number, infinity: boolean): number {
  const sign = pattern >> (exponentBits + mantissaBits) ? -1 : 1
  const exponent = (pattern >> mantissaBits) & ((1 << exponentBits) - 1)
  const mantissa = pattern & ((1 << mantissaBits) - 1)
  const bias = 2 ** (exponentBits - 1) - 1
  if (exponent === 2 ** exponentBits - 1 && infinity) return mantissa ? NaN : sign * Infinity
  if (!infinity && (pattern & (2 ** (exponentBits + mantissaBits) - 1)) === 2 ** (exponentBits + mantissaBits) - 1)
    return NaN
  return exponent === 0
    ? sign * mantissa * 2 ** (1 - bias - mantissaBits)
    : sign * (1 + mantissa * 2 ** -mantissaBits) * 2 ** (exponent - bias)
}

describe.each([
  ['F16', 5, 10, true],
  ['BF16', 8, 7, true],
  ['F8_E5M2', 5, 2, true],
  ['F8_E4M3', 4, 3, false],
] as const)('%s', (dtype, exponentBits, mantissaBits, infinity) => {
  const patterns = 2 ** (1 + exponentBits + mantissaBits)
  const bytes =
    size[dtype] === 2
      ? new Uint8Array(Uint16Array.from({ length: patterns }, (_, i) => i).buffer)
      : Uint8Array.from({ length: patterns }, (_, i) => i)
  const values = new Float32Array(patterns)
  decode(dtype, bytes, 0, values)
  const patternsOfAll = (floats: Float32Array) => {
    const out = encodedAll(dtype, floats)
    return size[dtype] === 2 ? [...new Uint16Array(out.buffer)] : [...out]
  }
  const patternsOf = (...floats: number[]) => patternsOfAll(Float32Array.from(floats))

  it('widens every pattern exactly', () => {
    const wrong = [...values.keys()].filter(
      (i) => !Object.is(values[i], textbook(i, exponentBits, mantissaBits, infinity)),
    )
    expect(wrong).toEqual([])
  })

  it('gives every pattern back', () => {
    const back = patternsOfAll(values)
    expect(back.filter((pattern, i) => pattern !== i && !Number.isNaN(values[i]))).toEqual([])
    expect(back.filter((pattern, i) => Number.isNaN(values[i]) && !Number.isNaN(values[pattern]!))).toEqual([])
  })

  it('rounds the midpoint between any two neighbors to the even one, and what is beside it to the nearer', () => {
    const half = patterns / 2
    const word = new Uint32Array(1)
    const float = new Float32Array(word.buffer)
    const step = (value: number, by: number) => {
      float[0] = value
      word[0] = word[0]! + by
      return float[0]!
    }
    const wrong: number[] = []
    for (let i = 0; i + 1 < half && Number.isFinite(values[i + 1]); i++) {
      const middle = Math.fround((values[i]! + values[i + 1]!) / 2)
      if (middle !== (values[i]! + values[i + 1]!) / 2) continue
      const got = patternsOf(step(middle, -1), middle, step(middle, 1), -middle)
      const even = i % 2 === 0 ? i : i + 1
      if (got[0] !== i || got[1] !== even || got[2] !== i + 1 || got[3] !== even + half) wrong.push(i)
    }
    expect(wrong).toEqual([])
  })

  it('goes past its largest number from half a step beyond it', () => {
    const last = Math.max(...[...values.keys()].filter((i) => i < patterns / 2 && Number.isFinite(values[i])))
    const largest = values[last]!
    const middle = largest + (largest - values[last - 1]!) / 2
    const below = Math.fround(middle * (1 - 2 ** -23))
    expect(patternsOf(largest, below, -below)).toEqual([last, last, last + patterns / 2])
    // A tie goes to the even pattern: infinity's, or in F8_E4M3, whose largest number is even, that one.
    expect(patternsOf(middle)).toEqual([last % 2 === 0 ? last : last + 1])
    const past = decoded(
      dtype,
      ...encoded(dtype, Math.fround(middle * (1 + 2 ** -22)), 3.4e38, Infinity, -Infinity, NaN),
    )
    expect(past).toEqual(infinity ? [Infinity, Infinity, Infinity, -Infinity, NaN] : [NaN, NaN, NaN, NaN, NaN])
  })
})

describe('integers', () => {
  it('saturate, round ties to even, and take NaN as 0', () => {
    expect([
      ...new Int8Array(encoded('I8', 127.5, 128, -129, 0.5, 1.5, -0.5, -1.5, -2.5, NaN, Infinity).buffer),
    ]).toEqual([127, 127, -128, 0, 2, 0, -2, -2, 0, 127])
    expect([...encoded('U8', -1, 255.4, 256, NaN, -Infinity)]).toEqual([0, 255, 255, 0, 0])
    expect([...new Int16Array(encoded('I16', 4e4, -4e4, 7).buffer)]).toEqual([32767, -32768, 7])
    expect([...new Uint16Array(encoded('U16', 7e4, -3).buffer)]).toEqual([65535, 0])
    expect([...new Int32Array(encoded('I32', 3e9, -3e9, 2147483520).buffer)]).toEqual([
      2147483647, -2147483648, 2147483520,
    ])
    expect([...new Uint32Array(encoded('U32', 5e9, -3, 4294967040).buffer)]).toEqual([4294967295, 0, 4294967040])
    expect([...new BigInt64Array(encoded('I64', 1e19, -1e19, -5.5, NaN, 2 ** 62).buffer)]).toEqual([
      2n ** 63n - 1n,
      -(2n ** 63n),
      -6n,
      0n,
      2n ** 62n,
    ])
    expect([...new BigUint64Array(encoded('U64', 2e19, -1, 2 ** 63).buffer)]).toEqual([2n ** 64n - 1n, 0n, 2n ** 63n])
  })

  it('widen to the nearest float32, ties to even, in one rounding', () => {
    const wide = (...values: bigint[]) => decoded('I64', ...new Uint8Array(BigInt64Array.from(values).buffer))
    expect(wide(5n, -5n, 2n ** 24n + 1n, 2n ** 24n + 3n)).toEqual([5, -5, 2 ** 24, 2 ** 24 + 4])
    // Half a step of float32 and one more, which float64 can't hold: by way of float64 it would be a tie.
    expect(wide(2n ** 60n + 2n ** 36n + 1n, -(2n ** 60n + 2n ** 36n + 1n), 2n ** 60n + 2n ** 36n)).toEqual([
      2 ** 60 + 2 ** 37,
      -(2 ** 60 + 2 ** 37),
      2 ** 60,
    ])
    expect(decoded('U64', 255, 255, 255, 255, 255, 255, 255, 255)).toEqual([2 ** 64])
    expect(decoded('U32', 255, 255, 255, 255)).toEqual([2 ** 32])
    expect(decoded('I16', 0xff, 0xff, 1, 0)).toEqual([-1, 1])
  })
})

it('BOOL is 1 where the byte is not 0, and 0 only for zeros', () => {
  expect(decoded('BOOL', 0, 1, 2)).toEqual([0, 1, 1])
  expect([...encoded('BOOL', 0, -0, 0.1, NaN)]).toEqual([0, 0, 1, 1])
})

it('F64 rounds to float32 and back without loss', () => {
  expect(decoded('F64', ...encoded('F64', 0.1, -1e-45, Infinity))).toEqual([
    Math.fround(0.1),
    Math.fround(-1e-45),
    Infinity,
  ])
  expect(decoded('F64', ...new Uint8Array(Float64Array.of(0.1, 1e300).buffer))).toEqual([Math.fround(0.1), Infinity])
})

it('reads and writes at any byte offset', () => {
  for (const dtype of Object.keys(size) as Dtype[]) {
    const bytes = new Uint8Array(1 + 5 * size[dtype]).subarray(1)
    encode(dtype, Float32Array.of(1, 0, 1), bytes, 2)
    const into = new Float32Array(4)
    decode(dtype, bytes, 1, into)
    expect([...into]).toEqual([0, 1, 0, 1])
  }
})
