import { firstHash, nextHash } from './json-bytes.ts'
import { entryField, entryFields, type SpelledEntries } from './spelled-entries.ts'

/**
 * The ids of a vocabulary by token, found by how the token is spelled in the file, so that there is no table of strings. Goes through
 * them in the order of an object's keys.
 */
export class SpelledIds implements ReadonlyMap<string, number> {
  readonly size: number
  /** Entries by their hashes, one after the other where several would have the same place; -1 where there is none. */
  readonly slots: Int32Array
  readonly #numbers: Int32Array
  readonly #tokens: readonly string[]
  /** Entries of the tokens that are spelled with escapes. */
  readonly #escaped: ReadonlyMap<string, number>
  /** Whether among them are tokens that need none. */
  readonly #areUsualEscaped: boolean

  private constructor(entries: SpelledEntries, tokens: readonly string[], slots: Int32Array) {
    this.size = entries.count
    this.slots = slots
    this.#numbers = entries.numbers
    this.#tokens = tokens
    this.#escaped = new Map(entries.escaped.map((entry) => [tokens[entry]!, entry]))
    this.#areUsualEscaped = entries.escaped.some((entry) => !needsEscape.test(tokens[entry]!))
  }

  /** Undefined where a token is there twice, or where hashes are made to be alike. @param tokens of the entries */
  static of(entries: SpelledEntries, tokens: readonly string[]): SpelledIds | undefined {
    const slots = tableOf(entries, tokens)
    if (slots === undefined) return undefined
    const ids = new SpelledIds(entries, tokens, slots)
    const { escaped } = entries
    if (ids.#escaped.size !== escaped.length) return undefined
    return escaped.some((entry) => ids.#findUnescaped(tokens[entry]!) >= 0) ? undefined : ids
  }

  get(token: string): number | undefined {
    const entry = this.#find(token)
    return entry < 0 ? undefined : this.#numbers[entryFields * entry + entryField.id]!
  }

  has(token: string): boolean {
    return this.#find(token) >= 0
  }

  forEach(visit: (value: number, key: string, map: ReadonlyMap<string, number>) => void): void {
    for (const [token, id] of this) visit(id, token, this)
  }

  *entries(): Generator<[string, number], undefined> {
    for (const entry of this.#inOrder()) yield [this.#tokens[entry]!, this.#idOf(entry)]
  }

  *keys(): Generator<string, undefined> {
    for (const entry of this.#inOrder()) yield this.#tokens[entry]!
  }

  *values(): Generator<number, undefined> {
    for (const entry of this.#inOrder()) yield this.#idOf(entry)
  }

  [Symbol.iterator](): Generator<[string, number], undefined> {
    return this.entries()
  }

  #idOf(entry: number): number {
    return this.#numbers[entryFields * entry + entryField.id]!
  }

  *#inOrder(): Generator<number, undefined> {
    const tokens = this.#tokens
    const numeric: number[] = []
    for (let entry = 0; entry < this.size; entry++) if (isArrayIndex(tokens[entry]!)) numeric.push(entry)
    yield* numeric.sort((a, b) => Number(tokens[a]) - Number(tokens[b]))
    for (let entry = 0; entry < this.size; entry++) if (!isArrayIndex(tokens[entry]!)) yield entry
  }

  #find(token: string): number {
    if (this.#areUsualEscaped || (this.#escaped.size > 0 && needsEscape.test(token))) {
      const entry = this.#escaped.get(token)
      if (entry !== undefined) return entry
    }
    return this.#findUnescaped(token)
  }

  #findUnescaped(token: string): number {
    const { slots } = this
    const hash = hashOf(token)
    for (let step = 0, slot = slotOf(hash, slots); step < mostSteps; step++, slot = (slot + 1) & (slots.length - 1)) {
      const entry = slots[slot]!
      if (entry < 0) return -1
      if (this.#numbers[entryFields * entry + entryField.hash] === hash && this.#tokens[entry] === token) return entry
    }
    return -1
  }
}

/** What strings of JSON never have as it is. */
// oxlint-disable-next-line no-control-regex
const needsEscape = /["\\\u0000-\u001f]/

/** Of a hundred thousand tokens none is further from where its hash would have it than some dozens of places. */
export const mostSteps = 512

export const slotOf = (hash: number, slots: Int32Array): number => (hash ^ (hash >>> 15)) & (slots.length - 1)

/** Undefined where a token is there twice in one spelling, or one would be too far from its place. */
function tableOf({ numbers, count }: SpelledEntries, tokens: readonly string[]): Int32Array | undefined {
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * count + 2))).fill(-1)
  next: for (let entry = 0; entry < count; entry++) {
    const hash = numbers[entryFields * entry + entryField.hash]!
    for (let step = 0, slot = slotOf(hash, slots); step < mostSteps; step++, slot = (slot + 1) & (slots.length - 1)) {
      const other = slots[slot]!
      if (other < 0) {
        slots[slot] = entry
        continue next
      }
      if (numbers[entryFields * other + entryField.hash] === hash && tokens[other] === tokens[entry]) return undefined
    }
    return undefined
  }
  return slots
}

/** Gives the hash of a text's UTF-8, which is how it is spelled without escapes. */
function hashOf(text: string): number {
  let hash = firstHash
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) hash = nextHash(hash, unit)
    else if (unit < 0x800) hash = nextHash(nextHash(hash, 0xc0 | (unit >> 6)), 0x80 | (unit & 0x3f))
    else {
      const point = text.codePointAt(index)!
      if (point < 0x10000) hash = nextHash(hash, 0xe0 | (point >> 12))
      else {
        hash = nextHash(nextHash(hash, 0xf0 | (point >> 18)), 0x80 | ((point >> 12) & 0x3f))
        index++
      }
      hash = nextHash(nextHash(hash, 0x80 | ((point >> 6) & 0x3f)), 0x80 | (point & 0x3f))
    }
  }
  return hash
}

/** The keys of an object that are such come first, in the order of numbers. */
const isArrayIndex = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return first >= 0x30 && first <= 0x39 && /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 2 ** 32 - 1
}
