import { jsonLimits } from '../limits.ts'
import { byteOf, pastSpace, Spelling } from './json-bytes.ts'
import type { SpelledMerges } from './merges.ts'
import { textOf } from './read-texts.ts'
import { doubled, roomFor } from './spelled-entries.ts'
import type { SpelledVocabulary } from './spelled-vocabulary.ts'

/** Merges and the place after their list in the file. */
export interface ReadMerges {
  readonly read: SpelledMerges
  readonly end: number
}

/** Merges that were read before, and what a list has in common with theirs. */
interface LikeMerges {
  readonly known: SpelledMerges
  /** How many bytes are the same, from the opening bracket on. */
  readonly sameBytes: number
  /** How many entries of both vocabularies are the same, from the first one on. */
  readonly sameCount: number
}

/**
 * Reads merges from the opening bracket of their list on, and checks that each makes a longer token of two, all in the
 * vocabulary. Undefined where one doesn't, or anything is unusual: left to `checkMerges`, which knows what to say.
 */
export function readMerges(
  bytes: Uint8Array,
  start: number,
  vocabulary: SpelledVocabulary,
  like?: LikeMerges,
): ReadMerges | undefined {
  const pair = new PairReader(bytes, vocabulary)
  const same = like === undefined ? 0 : countSameMerges(like)
  const list = new MergeList(vocabulary, like && { of: like.known, count: same })
  let place = same > 0 ? start + like!.known.starts[same]! : pastSpace(bytes, start + 1)
  if (bytes[place] === byteOf.closeBracket) return { read: list.done(), end: place + 1 }
  for (;;) {
    const from = place
    place = pair.read(place)
    if (place < 0 || !list.add(pair, from - start)) return undefined
    place = pastSpace(bytes, place)
    if (bytes[place] === byteOf.closeBracket) return { read: list.done(), end: place + 1 }
    if (bytes[place] !== byteOf.comma) return undefined
    place = pastSpace(bytes, place + 1)
  }
}

/** Counts merges of equal spelling and of equal entries, from the first one on. */
function countSameMerges({ known, sameBytes, sameCount }: LikeMerges): number {
  const { starts, entries, products, count } = known
  let same = 0
  // Of the last one it isn't known whether the list goes on after it.
  while (
    same < count - 1 &&
    starts[same + 1]! <= sameBytes &&
    entries[2 * same]! < sameCount &&
    entries[2 * same + 1]! < sameCount &&
    products[same]! < sameCount
  )
    same++
  return same
}

/** Merges while they are read. */
class MergeList {
  readonly #vocabulary: SpelledVocabulary
  #count = 0
  #entries: Int32Array
  #products: Int32Array
  #starts: Int32Array
  #isText: Uint8Array

  /** @param first what is taken over, of equal entries */
  constructor(vocabulary: SpelledVocabulary, first?: { readonly of: SpelledMerges; readonly count: number }) {
    this.#vocabulary = vocabulary
    const room = roomFor(first?.count ?? 0)
    this.#entries = new Int32Array(2 * room)
    this.#products = new Int32Array(room)
    this.#starts = new Int32Array(room)
    this.#isText = new Uint8Array(room)
    if (first === undefined) return
    const { of, count } = first
    this.#entries.set(of.entries.subarray(0, 2 * count))
    this.#products.set(of.products.subarray(0, count))
    this.#starts.set(of.starts.subarray(0, count))
    this.#isText.set(of.isText.subarray(0, count))
    this.#count = count
  }

  /** Adds one of two entries of the vocabulary. @returns false where that lacks their product, or there are too many */
  add({ left, right, isText }: PairReader, start: number): boolean {
    const count = this.#count
    const before = count === 0 ? -1 : this.#products[count - 1]!
    const product = this.#vocabulary.findJoined(left, right, before + 1)
    if (product < 0 || count > jsonLimits.values / 3) return false
    if (count === this.#starts.length) {
      this.#entries = doubled(this.#entries)
      this.#products = doubled(this.#products)
      this.#starts = doubled(this.#starts)
      const more = new Uint8Array(2 * count)
      more.set(this.#isText)
      this.#isText = more
    }
    this.#entries[2 * count] = left
    this.#entries[2 * count + 1] = right
    this.#products[count] = product
    this.#starts[count] = start
    this.#isText[count] = isText ? 1 : 0
    this.#count++
    return true
  }

  done(): SpelledMerges {
    const count = this.#count
    const entries = this.#entries.slice(0, 2 * count)
    return {
      count,
      ids: this.#vocabulary.idsOf(entries),
      isText: this.#isText.slice(0, count),
      starts: this.#starts.slice(0, count),
      entries,
      products: this.#products.slice(0, count),
    }
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
