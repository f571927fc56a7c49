import { encode } from '@mk/tensor'

// What the generated encoders are compared with: the formulas element by element.

const { fround } = Math

/** q = round(x / d), d = max |x| / 127. */
export function encodeQ8_0(values: Float32Array, into: Uint8Array): void {
  const scales = new Float32Array(values.length / 32)
  for (let block = 0, start = 0, byte = 2; block < scales.length; block++, start += 32, byte += 34) {
    let largest = 0
    for (let i = start; i < start + 32; i++) largest = Math.max(largest, Math.abs(values[i]!))
    const d = fround(largest / 127)
    scales[block] = d
    const factor = inverse(d)
    for (let i = 0; i < 32; i++) {
      const scaled = fround(values[start + i]! * factor)
      into[byte + i] = scaled < 0 ? -Math.floor(0.5 - scaled) : Math.floor(scaled + 0.5)
    }
  }
  scatterHalves(scales, into, 34)
}

/** q = ⌊x / d + 8.5⌋ up to 15, d = x / −8 of the largest x, the first where several are. */
export function encodeQ4_0(values: Float32Array, into: Uint8Array): void {
  const scales = new Float32Array(values.length / 32)
  for (let block = 0, start = 0, byte = 2; block < scales.length; block++, start += 32, byte += 18) {
    let extreme = values[start]!
    for (let i = start + 1; i < start + 32; i++) {
      const value = values[i]!
      if (!(Math.abs(value) <= Math.abs(extreme)) && extreme === extreme) extreme = value
    }
    const d = fround(extreme / -8)
    scales[block] = d
    const factor = inverse(d)
    for (let i = 0; i < 16; i++)
      into[byte + i] = nibble(values[start + i]!, factor) | (nibble(values[start + 16 + i]!, factor) << 4)
  }
  scatterHalves(scales, into, 18)
}

const nibble = (value: number, factor: number): number =>
  Math.min(15, Math.trunc(fround(fround(value * factor) + 8.5)) | 0)

/** Zero where d is, and NaN, which gives zeros, where the inverse is infinite. */
function inverse(d: number): number {
  if (d === 0) return 0
  const factor = fround(1 / d)
  return Number.isFinite(factor) ? factor : NaN
}

function scatterHalves(values: Float32Array, into: Uint8Array, blockBytes: number): void {
  const halves = new Uint8Array(values.length * 2)
  encode('F16', values, halves, 0)
  for (let index = 0, byte = 0; index < values.length; index++, byte += blockBytes) {
    into[byte] = halves[2 * index]!
    into[byte + 1] = halves[2 * index + 1]!
  }
}
