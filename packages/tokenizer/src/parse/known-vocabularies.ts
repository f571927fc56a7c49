import type { Merges } from './merges.ts'
import type { SpelledVocabulary } from './spelled-vocabulary.ts'

/** A vocabulary that was read, and where it was read from. */
export interface KnownVocabulary {
  readonly spelled: SpelledVocabulary
  readonly ids: ReadonlyMap<string, number>
  /** By id. */
  readonly tokens: readonly (string | undefined)[]
  /** The merges beside it, as bytes and read. */
  readonly merges: { readonly bytes: Uint8Array; readonly read: Merges } | undefined
}

/**
 * Vocabularies that were read before, so that a model that has the same one, byte for byte, needs no reading of its own. Of many
 * different ones the first and the last are kept.
 */
export class KnownVocabularies {
  readonly #known: KnownVocabulary[] = []

  /** Finds the one whose bytes stand at a place of a file. */
  findAt(bytes: Uint8Array, place: number): KnownVocabulary | undefined {
    return this.#known.find(({ spelled }) => standsAt(spelled.bytes, bytes, place))
  }

  add(vocabulary: KnownVocabulary): void {
    if (this.#known.length === 2) this.#known.pop()
    this.#known.push(vocabulary)
  }
}

const blockBytes = 1 << 16

/** Tells whether bytes are those at a place of a file. */
export function standsAt(wanted: Uint8Array, bytes: Uint8Array, place: number): boolean {
  if (place + wanted.length > bytes.length) return false
  // Copies of blocks, wherever they lie, can be compared four bytes at a time.
  const [a, b] = [new Uint8Array(blockBytes), new Uint8Array(blockBytes)]
  const [wordsA, wordsB] = [new Int32Array(a.buffer), new Int32Array(b.buffer)]
  for (let start = 0; start < wanted.length; start += blockBytes) {
    const length = Math.min(blockBytes, wanted.length - start)
    a.set(wanted.subarray(start, start + length))
    b.set(bytes.subarray(place + start, place + start + length))
    // What a last, shorter block leaves of the one before is equal.
    for (let index = 0; index < wordsA.length; index++) if (wordsA[index] !== wordsB[index]) return false
  }
  return true
}
