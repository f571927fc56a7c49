import { gatherHalves } from './halves.ts'

/** Decodes whole blocks, which follow one another, to as many elements as they have. */
export type BlockDecoder = (blocks: Uint8Array, into: Float32Array) => void

/** d · q, q of 8 bits. */
export const decodeQ8_0: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 34, 0)
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length)
  for (let block = 0, byte = 2, out = 0; block < scales.length; block++, byte += 34) {
    const d = scales[block]!
    for (let i = 0; i < 32; i++) into[out++] = d * signed[byte + i]!
  }
}

/** d · (q − 8), q of 4 bits. */
export const decodeQ4_0: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 18, 0)
  for (let block = 0, byte = 2, out = 0; block < scales.length; block++, byte += 18, out += 32) {
    const d = scales[block]!
    for (let i = 0; i < 16; i++) {
      const q = blocks[byte + i]!
      into[out + i] = d * ((q & 15) - 8)
      into[out + 16 + i] = d * ((q >> 4) - 8)
    }
  }
}

/** d · q + m, q of 4 bits. */
export const decodeQ4_1: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 20, 0)
  const minima = gatherHalves(blocks, 20, 2)
  for (let block = 0, byte = 4, out = 0; block < scales.length; block++, byte += 20, out += 32) {
    const d = scales[block]!
    const m = minima[block]!
    for (let i = 0; i < 16; i++) {
      const q = blocks[byte + i]!
      into[out + i] = d * (q & 15) + m
      into[out + 16 + i] = d * (q >> 4) + m
    }
  }
}

/** d · (q − 16), q of 5 bits, the highest of each apart. */
export const decodeQ5_0: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 22, 0)
  for (let block = 0, byte = 2, out = 0; block < scales.length; block++, byte += 22, out += 32) {
    const d = scales[block]!
    const high = fourBytes(blocks, byte)
    for (let i = 0; i < 16; i++) {
      const q = blocks[byte + 4 + i]!
      into[out + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16)
      into[out + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16)
    }
  }
}

/** d · q + m, q of 5 bits, the highest of each apart. */
export const decodeQ5_1: BlockDecoder = (blocks, into) => {
  const scales = gatherHalves(blocks, 24, 0)
  const minima = gatherHalves(blocks, 24, 2)
  for (let block = 0, byte = 4, out = 0; block < scales.length; block++, byte += 24, out += 32) {
    const d = scales[block]!
    const m = minima[block]!
    const high = fourBytes(blocks, byte)
    for (let i = 0; i < 16; i++) {
      const q = blocks[byte + 4 + i]!
      into[out + i] = d * ((q & 15) | (((high >>> i) & 1) << 4)) + m
      into[out + 16 + i] = d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m
    }
  }
}

const fourBytes = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)

/** Twice the values of E2M1; the scale has the half. */
const e2m1 = Float32Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12)

/** 2^(e − 128) · table[q], q of 4 bits: E2M1, and one power of two a block. */
export const decodeMXFP4: BlockDecoder = (blocks, into) => {
  for (let byte = 0, out = 0; byte < blocks.length; byte += 17, out += 32) {
    const d = 2 ** (blocks[byte]! - 128)
    for (let i = 1; i <= 16; i++) {
      const q = blocks[byte + i]!
      into[out + i - 1] = d * e2m1[q & 15]!
      into[out + i + 15] = d * e2m1[q >> 4]!
    }
  }
}
