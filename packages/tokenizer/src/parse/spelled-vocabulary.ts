import { nextHash, type Spelling } from './json-bytes.ts'
import { readTexts } from './read-texts.ts'
import { entryField, entryFields, findEntries, type SpelledEntries } from './spelled-entries.ts'
import { mostSteps, slotOf, SpelledIds } from './spelled-ids.ts'

/**
 * A vocabulary as it stands in the bytes of a file, `{ "token": id, … }`, whose tokens can be found by their spelling, without
 * making strings.
 */
export class SpelledVocabulary {
  readonly #bytes: Uint8Array
  readonly #entries: SpelledEntries
  /** The text of each entry. */
  readonly tokens: readonly string[]
  /** By token. */
  readonly ids: SpelledIds
  readonly start: number
  readonly end: number

  private constructor(bytes: Uint8Array, start: number, entries: SpelledEntries, texts: Texts) {
    this.#bytes = bytes
    this.#entries = entries
    this.tokens = texts.tokens
    this.ids = texts.ids
    this.start = start
    this.end = entries.end
  }

  /**
   * Reads it from its opening brace on. Undefined where anything is unusual: left to JSON.parse, which knows what to say.
   *
   * @param like one whose first entries are the same, byte for byte, each with what follows it up to the next
   */
  static read(bytes: Uint8Array, start: number, like?: FirstEntries): SpelledVocabulary | undefined {
    const known = like && { entries: like.spelled.#entries, count: like.count, moved: start - like.spelled.start }
    const entries = findEntries(bytes, start, known)
    const texts = entries && readTexts(bytes, entries, like?.count ?? 0)
    if (texts === undefined) return undefined
    const tokens = like === undefined ? texts : like.spelled.tokens.slice(0, like.count).concat(texts)
    const ids = SpelledIds.of(entries!, tokens)
    return ids && new SpelledVocabulary(bytes, start, entries!, { tokens, ids })
  }

  /** Counts the entries that are whole, up to the quotation mark of the next, in so many bytes from the opening brace on. */
  countWithin(byteCount: number): number {
    let [low, high] = [0, Math.max(0, this.count - 1)]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#entries.numbers[entryFields * middle + entryField.start]! - this.start <= byteCount) low = middle
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
    return this.#entries.numbers[entryFields * entry + entryField.id]!
  }

  idsOf(entries: Int32Array): Int32Array {
    const { numbers } = this.#entries
    const ids = new Int32Array(entries.length)
    for (let index = 0; index < entries.length; index++)
      ids[index] = numbers[entryFields * entries[index]! + entryField.id]!
    return ids
  }

  /** Finds the entry that is spelled so; -1 where there is none. */
  find({ bytes, start, end, hash }: Spelling): number {
    const own = this.#bytes
    const { numbers } = this.#entries
    const { slots } = this.ids
    const length = end - start
    next: for (let step = 0, slot = slotOf(hash, slots); step < mostSteps; step++) {
      const entry = slots[slot]!
      if (entry < 0) return -1
      slot = (slot + 1) & (slots.length - 1)
      const at = entryFields * entry
      const first = numbers[at + entryField.start]!
      if (numbers[at + entryField.hash] !== hash || numbers[at + entryField.end]! - first !== length) continue
      for (let index = 0; index < length; index++) if (own[first + index] !== bytes[start + index]) continue next
      return entry
    }
    return -1
  }

  /**
   * Finds the entry that is spelled as two others one after the other; -1 where there is none.
   *
   * @param guess where it is likely to be
   */
  findJoined(left: number, right: number, guess: number): number {
    if (guess < this.count && this.#isJoined(guess, left, right)) return guess
    const { numbers } = this.#entries
    const { slots } = this.ids
    let hash = numbers[entryFields * left + entryField.hash]!
    const end = numbers[entryFields * right + entryField.end]!
    for (let place = numbers[entryFields * right + entryField.start]!; place < end; place++)
      hash = nextHash(hash, this.#bytes[place]!)
    for (let step = 0, slot = slotOf(hash, slots); step < mostSteps; step++, slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]!
      if (entry < 0) return -1
      if (numbers[entryFields * entry + entryField.hash] === hash && this.#isJoined(entry, left, right)) return entry
    }
    return -1
  }

  #isJoined(entry: number, left: number, right: number): boolean {
    const bytes = this.#bytes
    const { numbers } = this.#entries
    const start = numbers[entryFields * entry + entryField.start]!
    const end = numbers[entryFields * entry + entryField.end]!
    const leftStart = numbers[entryFields * left + entryField.start]!
    const rightStart = numbers[entryFields * right + entryField.start]!
    const middle = start + numbers[entryFields * left + entryField.end]! - leftStart
    if (end - middle !== numbers[entryFields * right + entryField.end]! - rightStart) return false
    for (let place = start, other = leftStart; place < middle; place++)
      if (bytes[place] !== bytes[other++]) return false
    for (let place = middle, other = rightStart; place < end; place++) if (bytes[place] !== bytes[other++]) return false
    return true
  }
}

/** The first entries of a vocabulary, but never all of them. */
interface FirstEntries {
  readonly spelled: SpelledVocabulary
  readonly count: number
}

/** What the entries mean. */
interface Texts {
  readonly tokens: readonly string[]
  readonly ids: SpelledIds
}
