import { jsonLimits, limits } from '../limits.ts'
import { byteOf, pastSpace, Spelling } from './json-bytes.ts'

/** The entries of an object, `{ "token": id, … }`, as they stand in the bytes of a file. */
export interface SpelledEntries {
  /** Four of each, so that what is asked of one lies side by side: see `entryField`. */
  readonly numbers: Int32Array
  readonly count: number
  /** Those whose spelling has escapes, in order. */
  readonly escaped: readonly number[]
  /** After the closing brace. */
  readonly end: number
}

/** Where the token is, without quotation marks, what is alike of equal spellings, and its id. */
export const entryField = { start: 0, end: 1, hash: 2, id: 3 } as const

export const entryFields = 4

/** What is known of the first entries, but never of all of them. */
interface KnownEntries {
  readonly entries: SpelledEntries
  readonly count: number
  /** By how many bytes they stand later here. */
  readonly moved: number
}

/** Finds entries from the opening brace on. Undefined where anything is unusual: left to JSON.parse, which knows what to say. */
export function findEntries(bytes: Uint8Array, start: number, known?: KnownEntries): SpelledEntries | undefined {
  const token = new Spelling(bytes)
  const first = known === undefined || known.count === 0 ? undefined : known
  let count = first?.count ?? 0
  const escaped = first === undefined ? [] : first.entries.escaped.filter((entry) => entry < count)
  let numbers = first === undefined ? new Int32Array(entryFields * roomFor(0)) : movedEntries(first)
  let place =
    first === undefined
      ? pastSpace(bytes, start + 1)
      : first.entries.numbers[entryFields * count + entryField.start]! + first.moved - 1
  if (bytes[place] === byteOf.closeBrace) return { numbers, count, escaped, end: place + 1 }
  for (;;) {
    place = token.read(place)
    if (place < 0 || token.end - token.start > limits.tokenCharacters) return undefined
    place = pastSpace(bytes, place)
    if (bytes[place] !== byteOf.colon) return undefined
    place = pastSpace(bytes, place + 1)
    const firstDigit = place
    let id = 0
    for (;;) {
      const digit = bytes[place]! - byteOf.zero
      if (!(digit >= 0 && digit <= 9)) break
      id = id * 10 + digit
      place++
      if (id > limits.tokenId) return undefined
    }
    if (place === firstDigit || (bytes[firstDigit] === byteOf.zero && place > firstDigit + 1)) return undefined
    const at = entryFields * count
    if (at === numbers.length) {
      if (count > jsonLimits.keys) return undefined
      numbers = doubled(numbers)
    }
    numbers[at + entryField.start] = token.start
    numbers[at + entryField.end] = token.end
    numbers[at + entryField.hash] = token.hash
    numbers[at + entryField.id] = id
    if (token.hasEscapes) escaped.push(count)
    count++
    place = pastSpace(bytes, place)
    if (bytes[place] === byteOf.closeBrace) return { numbers, count, escaped, end: place + 1 }
    if (bytes[place] !== byteOf.comma) return undefined
    place = pastSpace(bytes, place + 1)
  }
}

function movedEntries({ entries, count, moved }: KnownEntries): Int32Array<ArrayBuffer> {
  const numbers = new Int32Array(entryFields * roomFor(count))
  numbers.set(entries.numbers.subarray(0, entryFields * count))
  if (moved === 0) return numbers
  for (let at = 0; at < entryFields * count; at += entryFields) {
    numbers[at + entryField.start]! += moved
    numbers[at + entryField.end]! += moved
  }
  return numbers
}

/** Gives a length for lists of so many that may grow. */
export const roomFor = (count: number): number => 2 ** Math.max(10, Math.ceil(Math.log2(count + 1)))

/** Makes room for twice as many. */
export function doubled(values: Int32Array): Int32Array<ArrayBuffer> {
  const more = new Int32Array(values.length * 2)
  more.set(values)
  return more
}
