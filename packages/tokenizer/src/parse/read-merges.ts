import { jsonLimits } from '../limits.ts'
import { byteOf, pastSpace, Spelling } from './json-bytes.ts'
import type { Merges } from './merges.ts'
import { doubled, type SpelledVocabulary, textOf } from './spelled-vocabulary.ts'

/** Merges and the place after their list in the file. */
export interface ReadMerges {
  readonly read: Merges
  readonly end: number
}

/**
 * Reads merges from the opening bracket of their list on, and checks that each makes a longer token of two, all in the
 * vocabulary. Undefined where one doesn't, or anything is unusual: left to `checkMerges`, which knows what to say.
 */
export function readMerges(bytes: Uint8Array, start: number, vocabulary: SpelledVocabulary): ReadMerges | undefined {
  const pair = new PairReader(bytes, vocabulary)
  let ids = new Int32Array(1024)
  const isText: number[] = []
  let product = -1
  const done = (end: number): ReadMerges => ({
    read: { count: isText.length, ids: ids.slice(0, 2 * isText.length), isText: Uint8Array.from(isText) },
    end,
  })
  let place = pastSpace(bytes, start + 1)
  if (bytes[place] === byteOf.closeBracket) return done(place + 1)
  for (;;) {
    place = pair.read(place)
    if (place < 0) return undefined
    product = vocabulary.findJoined(pair.left, pair.right, product + 1)
    if (product < 0 || isText.length > jsonLimits.values / 3) return undefined
    if (2 * isText.length === ids.length) ids = doubled(ids)
    ids[2 * isText.length] = vocabulary.idOf(pair.left)
    ids[2 * isText.length + 1] = vocabulary.idOf(pair.right)
    isText.push(pair.isText ? 1 : 0)
    place = pastSpace(bytes, place)
    if (bytes[place] === byteOf.closeBracket) return done(place + 1)
    if (bytes[place] !== byteOf.comma) return undefined
    place = pastSpace(bytes, place + 1)
  }
}

/** Reads merges one after the other: `["a", "b"]` or `"a b"`. */
class PairReader {
  /** Entries of the vocabulary. */
  left = -1
  right = -1
  isText = false
  readonly #part: Spelling
  readonly #vocabulary: SpelledVocabulary

  constructor(bytes: Uint8Array, vocabulary: SpelledVocabulary) {
    this.#part = new Spelling(bytes)
    this.#vocabulary = vocabulary
  }

  /** @returns the place after it; -1 where it isn't two tokens of the vocabulary, neither of them empty */
  read(at: number): number {
    const { bytes } = this.#part
    this.isText = bytes[at] === byteOf.quote
    if (this.isText) return this.#readText(at)
    return bytes[at] === byteOf.openBracket ? this.#readList(pastSpace(bytes, at + 1)) : -1
  }

  #readList(at: number): number {
    const { bytes } = this.#part
    let place = this.#part.read(at)
    if (place < 0) return -1
    this.left = this.#token()
    place = pastSpace(bytes, place)
    if (this.left < 0 || bytes[place] !== byteOf.comma) return -1
    place = this.#part.read(pastSpace(bytes, place + 1))
    if (place < 0) return -1
    this.right = this.#token()
    place = pastSpace(bytes, place)
    return this.right < 0 || bytes[place] !== byteOf.closeBracket ? -1 : place + 1
  }

  #readText(at: number): number {
    const part = this.#part
    const middle = part.readUntil(byteOf.space, at + 1)
    if (middle < 0 || part.bytes[middle] !== byteOf.space) return -1
    const { hasEscapes } = part
    this.left = this.#token()
    const end = part.readUntil(byteOf.space, middle + 1)
    if (this.left < 0 || end < 0 || part.bytes[end] !== byteOf.quote) return -1
    this.right = this.#token()
    if (this.right < 0) return -1
    // A space may be spelled as an escape, too.
    if (
      (hasEscapes || part.hasEscapes) &&
      (JSON.parse(textOf(part.bytes.subarray(at, end + 1))) as string).split(' ').length !== 2
    )
      return -1
    return end + 1
  }

  #token(): number {
    return this.#part.start === this.#part.end ? -1 : this.#vocabulary.find(this.#part)
  }
}
