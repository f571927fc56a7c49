import { jsonLimits } from '../limits.ts'
import { byteOf, pastSpace, pastValue, walkObject } from './json-bytes.ts'
import { type KnownVocabularies, type KnownVocabulary, standsAt } from './known-vocabularies.ts'
import type { Merges } from './merges.ts'
import { readMerges } from './read-merges.ts'
import { SpelledVocabulary } from './spelled-vocabulary.ts'

/** A piece of a file, from its first byte to the one after the last. */
interface Span {
  readonly start: number
  readonly end: number
}

/** The vocabulary and the merges of a tokenizer.json, with the places of their values. */
export interface LongLists {
  readonly vocabulary: Span & { readonly spelled: SpelledVocabulary; readonly known: KnownVocabulary | undefined }
  /** Absent where there is no list. */
  readonly merges?: Span & { readonly read: Merges }
}

/**
 * Finds and reads the vocabulary and the merges of a tokenizer.json. Undefined where they or the keys that lead to them are not as
 * usual; of what else is in the file nothing is checked.
 */
export function findLongLists(bytes: Uint8Array, known: KnownVocabularies | undefined): LongLists | undefined {
  const finder = new Finder(bytes, known)
  const { vocabulary } = finder
  if (vocabulary === undefined) return undefined
  const { mergesAt } = finder
  if (mergesAt === undefined) return { vocabulary }
  const merges = finder.merges ?? readMerges(bytes, mergesAt, vocabulary.spelled)
  return merges && { vocabulary, merges: { start: mergesAt, ...merges } }
}

class Finder {
  vocabulary: LongLists['vocabulary'] | undefined
  mergesAt: number | undefined
  /** Those that come after the vocabulary. */
  merges: Omit<NonNullable<LongLists['merges']>, 'start'> | undefined
  readonly #bytes: Uint8Array
  readonly #known: KnownVocabularies | undefined
  readonly #seen = new Set<string>()

  constructor(bytes: Uint8Array, known: KnownVocabularies | undefined) {
    this.#bytes = bytes
    this.#known = known
    const end = walkObject(bytes, pastSpace(bytes, 0), (key, at) =>
      key === 'model' ? this.#pastModel(at) : this.#past(at),
    )
    if (end < 0 || pastSpace(bytes, end) !== bytes.length) this.vocabulary = undefined
  }

  #past(at: number): number {
    return pastValue(this.#bytes, at, jsonLimits.depth)
  }

  #pastModel(start: number): number {
    if (!this.#isFirst('model')) return -1
    return walkObject(this.#bytes, start, (key, at) => {
      if (key === 'vocab') return this.#pastVocabulary(at)
      return key === 'merges' ? this.#pastMerges(at) : this.#past(at)
    })
  }

  #pastVocabulary(start: number): number {
    if (!this.#isFirst('vocab') || this.#bytes[start] !== byteOf.openBrace) return -1
    const known = this.#known?.findAt(this.#bytes, start)
    const spelled = known?.spelled ?? SpelledVocabulary.read(this.#bytes, start)
    if (spelled === undefined) return -1
    const end = start + spelled.bytes.length
    this.vocabulary = { start, end, spelled, known }
    return end
  }

  #pastMerges(start: number): number {
    if (!this.#isFirst('merges')) return -1
    const bytes = this.#bytes
    if (bytes[start] !== byteOf.openBracket) return this.#past(start)
    this.mergesAt = start
    if (this.vocabulary === undefined) return this.#past(start)
    const { spelled, known } = this.vocabulary
    const same = known?.merges
    this.merges =
      same !== undefined && standsAt(same.bytes, bytes, start)
        ? { read: same.read, end: start + same.bytes.length }
        : readMerges(bytes, start, spelled)
    return this.merges?.end ?? -1
  }

  #isFirst(key: string): boolean {
    return !this.#seen.has(key) && this.#seen.add(key).size > 0
  }
}
