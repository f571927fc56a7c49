import { jsonLimits, limits } from '../limits.ts'
import { byteOf, nextHash, pastSpace, Spelling } from './json-bytes.ts'

/**
 * A vocabulary as it stands in the bytes of a file, `{ "token": id, … }`, whose tokens can be found by their spelling, without
 * making strings.
 */
export class SpelledVocabulary {
  readonly #bytes: Uint8Array
  readonly #places: Places
  #slots: Int32Array | undefined
  /** The text of each entry. */
  readonly tokens: readonly string[]
  readonly start: number
  readonly end: number

  private constructor(bytes: Uint8Array, places: Places, tokens: readonly string[], start: number) {
    this.#bytes = bytes
    this.#places = places
    this.tokens = tokens
    this.start = start
    this.end = places.end
  }

  /**
   * Reads it from its opening brace on. Undefined where anything is unusual: left to JSON.parse, which knows what to say.
   *
   * @param like one whose first entries are the same, byte for byte, each with what follows it up to the next
   */
  static read(bytes: Uint8Array, start: number, like?: FirstEntries): SpelledVocabulary | undefined {
    const places = findEntries(bytes, start, like && { ...like, places: like.spelled.#places })
    const tokens = places && readTokens(bytes, places, like)
    return tokens && new SpelledVocabulary(bytes, places, tokens, start)
  }

  /** Counts the entries that are whole, up to the quotation mark of the next, in so many bytes from the opening brace on. */
  countWithin(byteCount: number): number {
    const { starts } = this.#places
    let [low, high] = [0, Math.max(0, this.count - 1)]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (starts[middle]! - this.start <= byteCount) low = middle
      else high = middle - 1
    }
    return low
  }

  get count(): number {
    return this.tokens.length
  }

  /** As it stands in the file. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(this.start, this.end)
  }

  idOf(entry: number): number {
    return this.#places.ids[entry]!
  }

  /** Finds the entry that is spelled so; -1 where there is none. */
  find({ bytes, start, end, hash }: Spelling): number {
    const own = this.#bytes
    const { starts, ends, hashes } = this.#places
    const slots = (this.#slots ??= tableOf(hashes, this.count))
    const length = end - start
    next: for (let slot = slotOf(hash, slots); ; slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]!
      if (entry < 0) return -1
      const first = starts[entry]!
      if (hashes[entry] !== hash || ends[entry]! - first !== length) continue
      for (let index = 0; index < length; index++) if (own[first + index] !== bytes[start + index]) continue next
      return entry
    }
  }

  /**
   * Finds the entry that is spelled as two others one after the other; -1 where there is none.
   *
   * @param guess where it is likely to be
   */
  findJoined(left: number, right: number, guess: number): number {
    if (guess < this.count && this.#isJoined(guess, left, right)) return guess
    const { starts, ends, hashes } = this.#places
    const slots = (this.#slots ??= tableOf(hashes, this.count))
    let hash = hashes[left]!
    for (let place = starts[right]!; place < ends[right]!; place++) hash = nextHash(hash, this.#bytes[place]!)
    for (let slot = slotOf(hash, slots); ; slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]!
      if (entry < 0 || (hashes[entry] === hash && this.#isJoined(entry, left, right))) return entry
    }
  }

  #isJoined(entry: number, left: number, right: number): boolean {
    const bytes = this.#bytes
    const { starts, ends } = this.#places
    const start = starts[entry]!
    const middle = start + ends[left]! - starts[left]!
    if (ends[entry]! - middle !== ends[right]! - starts[right]!) return false
    for (let place = start, other = starts[left]!; place < middle; place++)
      if (bytes[place] !== bytes[other++]) return false
    for (let place = middle, other = starts[right]!; place < ends[entry]!; place++)
      if (bytes[place] !== bytes[other++]) return false
    return true
  }
}

/** The first entries of a vocabulary, but never all of them. */
interface FirstEntries {
  readonly spelled: SpelledVocabulary
  readonly count: number
}

/** Where the tokens are, without quotation marks, and their ids. */
interface Places {
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly hashes: Int32Array
  readonly ids: Int32Array
  readonly count: number
  /** Of all, after the closing brace. */
  readonly end: number
}

function findEntries(
  bytes: Uint8Array,
  start: number,
  like: (FirstEntries & { readonly places: Places }) | undefined,
): Places | undefined {
  const token = new Spelling(bytes)
  let count = like?.count ?? 0
  let [starts, ends, hashes, ids] = Array.from({ length: 4 }, () => new Int32Array(roomFor(count))) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ]
  let place = pastSpace(bytes, start + 1)
  if (like !== undefined && count > 0) {
    const { places, spelled } = like
    const moved = start - spelled.start
    for (let entry = 0; entry < count; entry++) {
      starts[entry] = places.starts[entry]! + moved
      ends[entry] = places.ends[entry]! + moved
    }
    hashes.set(places.hashes.subarray(0, count))
    ids.set(places.ids.subarray(0, count))
    place = places.starts[count]! + moved - 1
  }
  if (bytes[place] === byteOf.closeBrace) return { starts, ends, hashes, ids, count, end: place + 1 }
  for (;;) {
    place = token.read(place)
    if (place < 0 || token.end - token.start > limits.tokenCharacters) return undefined
    place = pastSpace(bytes, place)
    if (bytes[place] !== byteOf.colon) return undefined
    place = pastSpace(bytes, place + 1)
    const first = place
    let id = 0
    for (;;) {
      const digit = bytes[place]! - byteOf.zero
      if (!(digit >= 0 && digit <= 9)) break
      id = id * 10 + digit
      place++
      if (id > limits.tokenId) return undefined
    }
    if (place === first || (bytes[first] === byteOf.zero && place > first + 1)) return undefined
    if (count === starts.length) {
      if (count > jsonLimits.keys) return undefined
      ;[starts, ends, hashes, ids] = [doubled(starts), doubled(ends), doubled(hashes), doubled(ids)]
    }
    starts[count] = token.start
    ends[count] = token.end
    hashes[count] = token.hash
    ids[count] = id
    count++
    place = pastSpace(bytes, place)
    if (bytes[place] === byteOf.closeBrace) return { starts, ends, hashes, ids, count, end: place + 1 }
    if (bytes[place] !== byteOf.comma) return undefined
    place = pastSpace(bytes, place + 1)
  }
}

/** Gives a length for lists of so many that may grow. */
export const roomFor = (count: number): number => 2 ** Math.max(10, Math.ceil(Math.log2(count + 1)))

/** Makes room for twice as many. */
export function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(values.length * 2)
  more.set(values)
  return more
}

/** Has JSON.parse read the tokens in one list, which knows of escapes. Undefined where one is no valid string. */
function readTokens(
  bytes: Uint8Array,
  { starts, ends, count }: Places,
  like: FirstEntries | undefined,
): readonly string[] | undefined {
  const first = like?.count ?? 0
  let length = 2
  for (let entry = first; entry < count; entry++) length += ends[entry]! - starts[entry]! + 3
  const list = new Uint8Array(length)
  let to = 0
  for (let entry = first; entry < count; entry++) {
    list[to++] = entry === first ? byteOf.openBracket : byteOf.comma
    const [start, end] = [starts[entry]!, ends[entry]!]
    for (let place = start - 1; place <= end; place++) list[to++] = bytes[place]!
  }
  if (count === first) list[to++] = byteOf.openBracket
  list[to++] = byteOf.closeBracket
  try {
    const tokens = JSON.parse(textOf(list.subarray(0, to))) as string[]
    return first === 0 ? tokens : like!.spelled.tokens.slice(0, first).concat(tokens)
  } catch {
    return undefined
  }
}

/** Decodes a piece of a file. @throws TypeError where it is no UTF-8 */
export const textOf = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)

function tableOf(hashes: Int32Array, count: number): Int32Array {
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2))).fill(-1)
  for (let entry = 0; entry < count; entry++) {
    let slot = slotOf(hashes[entry]!, slots)
    while (slots[slot]! >= 0) slot = (slot + 1) & (slots.length - 1)
    slots[slot] = entry
  }
  return slots
}

const slotOf = (hash: number, slots: Int32Array): number => (hash ^ (hash >>> 15)) & (slots.length - 1)
