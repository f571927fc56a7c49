import { decode } from '@mk/tensor'

/** Decodes the F16 at byte `at` of each block. */
export function gatherHalves(blocks: Uint8Array, blockBytes: number, at: number): Float32Array {
  const patterns = new Uint16Array(Math.floor(blocks.length / blockBytes))
  for (let index = 0, byte = at; index < patterns.length; index++, byte += blockBytes)
    patterns[index] = blocks[byte]! | (blocks[byte + 1]! << 8)
  const values = new Float32Array(patterns.length)
  decode('F16', new Uint8Array(patterns.buffer), 0, values)
  return values
}
