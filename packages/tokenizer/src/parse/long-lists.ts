import { jsonLimits } from '../limits.ts'
import { byteOf, pastSpace, pastValue, walkObject } from './json-bytes.ts'
import { countSame, type KnownVocabularies, type KnownVocabulary } from './known-vocabularies.ts'
import type { SpelledMerges } from './merges.ts'
import { readMerges } from './read-merges.ts'
import { SpelledVocabulary } from './spelled-vocabulary.ts'

/** A piece of a file, from its first byte to the one after the last. */
interface Span {
  readonly start: number
  readonly end: number
}

/** A vocabulary, and what it has in common with one that was read before. */
interface FoundVocabulary {
  readonly spelled: SpelledVocabulary
  /** The one that it begins as; absent: it begins as none. */
  readonly like: KnownVocabulary | undefined
  /** How many entries are the same from the first one on; all where both are the same. */
  readonly sameCount: number
}

/** The vocabulary and the merges of a tokenizer.json, with the places of their values. */
export interface LongLists {
  readonly vocabulary: Span & FoundVocabulary
  /** Absent where there is no list. */
  readonly merges?: Span & { readonly read: SpelledMerges }
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
    const { known: like, sameBytes = 0 } = this.#known?.findLike(this.#bytes, start) ?? {}
    const isSame = like !== undefined && sameBytes === like.spelled.bytes.length
    const sameCount = like === undefined ? 0 : isSame ? like.spelled.count : like.spelled.countWithin(sameBytes)
    const spelled = isSame
      ? like.spelled
      : SpelledVocabulary.read(this.#bytes, start, like && { spelled: like.spelled, count: sameCount })
    if (spelled === undefined) return -1
    const end = start + spelled.bytes.length
    this.vocabulary = { start, end, spelled, like, sameCount }
    return end
  }

  #pastMerges(start: number): number {
    if (!this.#isFirst('merges')) return -1
    const bytes = this.#bytes
    if (bytes[start] !== byteOf.openBracket) return this.#past(start)
    this.mergesAt = start
    if (this.vocabulary === undefined) return this.#past(start)
    const { spelled, like, sameCount } = this.vocabulary
    const known = like?.merges
    const sameBytes = known === undefined ? 0 : countSame(known.bytes, bytes, start)
    this.merges =
      known !== undefined && spelled === like!.spelled && sameBytes === known.bytes.length
        ? { read: known.read, end: start + known.bytes.length }
        : readMerges(bytes, start, spelled, known && { known: known.read, sameBytes, sameCount })
    return this.merges?.end ?? -1
  }

  #isFirst(key: string): boolean {
    return !this.#seen.has(key) && this.#seen.add(key).size > 0
  }
}
