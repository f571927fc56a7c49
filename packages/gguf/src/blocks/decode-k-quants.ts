import type { BlockDecoder } from './decode-simple.ts'
import { gatherHalves } from './halves.ts'

/** d · s · q − m · t, q of 2 bits; scales s and t of 4 bits for each 16 elements. */
export const decodeQ2_K: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 84, 80)
  const minima = gatherHalves(blocks, 84, 82)
  for (let block = 0, start = 0, out = 0; block < scales.length; block++, start += 84) {
    for (let part = 0; part < 16; part++) {
      const scale = blocks[start + part]!
      const d = scales[block]! * (scale & 15)
      const m = minima[block]! * (scale >> 4)
      const byte = start + 16 + (part >> 3) * 32 + (part & 1) * 16
      const shift = part & 6
      for (let i = 0; i < 16; i++) into[out++] = d * ((blocks[byte + i]! >> shift) & 3) - m
    }
  }
}

/** d · (s − 32) · q, q of 3 bits with its sign apart; a scale s of 6 bits for each 16 elements. */
export const decodeQ3_K: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 110, 108)
  for (let block = 0, start = 0, out = 0; block < scales.length; block++, start += 110) {
    for (let part = 0; part < 16; part++) {
      const low = (blocks[start + 96 + (part & 7)]! >> ((part >> 3) * 4)) & 15
      const high = (blocks[start + 104 + (part & 3)]! >> ((part >> 2) * 2)) & 3
      const d = scales[block]! * ((low | (high << 4)) - 32)
      const mask = start + (part & 1) * 16
      const bit = part >> 1
      const byte = mask + 32 + (part >> 3) * 32
      const shift = part & 6
      for (let i = 0; i < 16; i++) {
        const isOffset = ~(blocks[mask + i]! >> bit) & 1
        into[out++] = d * (((blocks[byte + i]! >> shift) & 3) - (isOffset << 2))
      }
    }
  }
}

/** Scale `part` of the eight that Q4_K and Q5_K have in 12 bytes, 6 bits each. */
const scaleOf = (blocks: Uint8Array, at: number, part: number): number =>
  part < 4 ? blocks[at + part]! & 63 : (blocks[at + part + 4]! & 15) | ((blocks[at + part - 4]! >> 6) << 4)

/** Minimum `part` of the same. */
const minimumOf = (blocks: Uint8Array, at: number, part: number): number =>
  part < 4 ? blocks[at + part + 4]! & 63 : (blocks[at + part + 4]! >> 4) | ((blocks[at + part]! >> 6) << 4)

/** d · s · q − m · t, q of 4 bits; scales s and t of 6 bits for each 32 elements. */
export const decodeQ4_K: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 144, 0)
  const minima = gatherHalves(blocks, 144, 2)
  for (let block = 0, start = 0, out = 0; block < scales.length; block++, start += 144) {
    for (let part = 0; part < 8; part += 2, out += 64) {
      const d0 = scales[block]! * scaleOf(blocks, start + 4, part)
      const d1 = scales[block]! * scaleOf(blocks, start + 4, part + 1)
      const m0 = minima[block]! * minimumOf(blocks, start + 4, part)
      const m1 = minima[block]! * minimumOf(blocks, start + 4, part + 1)
      const byte = start + 16 + part * 16
      for (let i = 0; i < 32; i++) {
        const q = blocks[byte + i]!
        into[out + i] = d0 * (q & 15) - m0
        into[out + 32 + i] = d1 * (q >> 4) - m1
      }
    }
  }
}

/** As Q4_K, q of 5 bits, the highest of each apart. */
export const decodeQ5_K: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 176, 0)
  const minima = gatherHalves(blocks, 176, 2)
  for (let block = 0, start = 0, out = 0; block < scales.length; block++, start += 176) {
    for (let part = 0; part < 8; part += 2, out += 64) {
      const d0 = scales[block]! * scaleOf(blocks, start + 4, part)
      const d1 = scales[block]! * scaleOf(blocks, start + 4, part + 1)
      const m0 = minima[block]! * minimumOf(blocks, start + 4, part)
      const m1 = minima[block]! * minimumOf(blocks, start + 4, part + 1)
      const byte = start + 48 + part * 16
      for (let i = 0; i < 32; i++) {
        const q = blocks[byte + i]!
        const high = blocks[start + 16 + i]! >> part
        into[out + i] = d0 * ((q & 15) | ((high & 1) << 4)) - m0
        into[out + 32 + i] = d1 * ((q >> 4) | ((high & 2) << 3)) - m1
      }
    }
  }
}

/** d · s · (q − 32), q of 6 bits, the highest two apart; a signed scale s of 8 bits for each 16 elements. */
export const decodeQ6_K: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 210, 208)
  for (let block = 0, start = 0, out = 0; block < scales.length; block++, start += 210) {
    for (let part = 0; part < 16; part++) {
      // Each half has 64 bytes of low bits: 32 elements of each quarter in 32 bytes, two quarters to a byte.
      const half = part >> 3
      const quarter = (part >> 1) & 3
      const side = (part & 1) * 16
      const low = start + half * 64 + (quarter & 1) * 32 + side
      const lowShift = (quarter >> 1) * 4
      const high = start + 128 + half * 32 + side
      const highShift = quarter * 2
      const d = scales[block]! * ((blocks[start + 192 + part]! << 24) >> 24)
      for (let i = 0; i < 16; i++) {
        const q = ((blocks[low + i]! >> lowShift) & 15) | (((blocks[high + i]! >> highShift) & 3) << 4)
        into[out++] = d * (q - 32)
      }
    }
  }
}
