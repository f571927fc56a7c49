/** 64 bits as two unsigned 32-bit words. */
export interface RandomKey {
  readonly high: number
  readonly low: number
}

const GOLDEN = 0x9e3779b9

/** Mixes 32 bits: the finalizer of MurmurHash3 (Austin Appleby, public domain): a bijection in which every input bit moves every output bit. */
export function fmix32(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Computes the part of `uniformAt` that is the same for 2^32 consecutive indices: fmix32((⌊index / 2^32⌋ + high) ^ 0x9E3779B9). */
export const uniformHigh = (key: RandomKey, index: number): number =>
  fmix32((Math.floor(index / 2 ** 32) + key.high) ^ GOLDEN)

/**
 * Draws the random number of one element, in [0, 1), with 24 bits, a function of key and flat index only:
 *
 *     h = fmix32((index mod 2^32) + low)
 *     h = fmix32(h ^ fmix32((⌊index / 2^32⌋ + high) ^ 0x9E3779B9))
 *     uniform = ⌊h / 2^8⌋ · 2^-24
 *
 * with sums modulo 2^32, so that it takes 32-bit integer operations only and is the same on every runtime.
 */
export function uniformAt(key: RandomKey, index: number): number {
  const h = fmix32(fmix32((index % 2 ** 32) + key.low) ^ uniformHigh(key, index))
  return (h >>> 8) * 2 ** -24
}

/**
 * Makes the key of one input of one output tensor: two words, each a chain h ← fmix32((h ^ word) + 0x9E3779B9) modulo 2^32, from
 * h = 1 for `low` and h = 2 for `high`, over the words: seed mod 2^32, ⌊seed / 2^32⌋, modelIndex, the name's length in
 * UTF-8 bytes, then those bytes as little-endian words, the last one filled up with zeros.
 * @param seed a whole number from 0 to 2^53 − 1
 */
export function randomKey(seed: number, tensorName: string, modelIndex: number): RandomKey {
  const name = new TextEncoder().encode(tensorName)
  const words = [seed % 2 ** 32, Math.floor(seed / 2 ** 32), modelIndex, name.length]
  for (let i = 0; i < name.length; i += 4) {
    words.push(name[i]! | ((name[i + 1] ?? 0) << 8) | ((name[i + 2] ?? 0) << 16) | ((name[i + 3] ?? 0) << 24))
  }
  const chain = (start: number) => words.reduce((h, word) => fmix32((h ^ word) + GOLDEN), start)
  return { high: chain(2), low: chain(1) }
}
