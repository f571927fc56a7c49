import type { SpelledMerges } from './merges.ts'
import type { SpelledVocabulary } from './spelled-vocabulary.ts'

/** A vocabulary that was read, and where it was read from. */
export interface KnownVocabulary {
  readonly spelled: SpelledVocabulary
  /** By id. */
  readonly tokens: readonly (string | undefined)[]
  /** The merges beside it, as bytes and read. */
  readonly merges: KnownMerges | undefined
}

/** Merges that were read, and where from. */
interface KnownMerges {
  readonly bytes: Uint8Array
  readonly read: SpelledMerges
}

/** A vocabulary that begins as one that was read before. */
export interface LikeVocabulary {
  readonly known: KnownVocabulary
  /** How many bytes are the same from the beginning on; all of it where it is the same vocabulary. */
  readonly sameBytes: number
}

/**
 * Vocabularies that were read before, so that a model that has the same one, byte for byte, needs no reading of its own, and one that
 * has added to it only of what is new. Of many different ones the first and the last are kept.
 */
export class KnownVocabularies {
  readonly #known: KnownVocabulary[] = []

  /** Finds the one with which what stands at a place of a file has most in common. */
  findLike(bytes: Uint8Array, place: number): LikeVocabulary | undefined {
    let best: LikeVocabulary | undefined
    for (const known of this.#known) {
      const sameBytes = countSame(known.spelled.bytes, bytes, place)
      if (sameBytes > (best?.sameBytes ?? 0)) best = { known, sameBytes }
    }
    return best
  }

  add(vocabulary: KnownVocabulary): void {
    if (this.#known.length === 2) this.#known.pop()
    this.#known.push(vocabulary)
  }
}

const blockBytes = 1 << 16

/** Counts how many of some bytes stand at a place of a file, from their beginning on: at least all but the last three that do. */
export function countSame(wanted: Uint8Array, bytes: Uint8Array, place: number): number {
  const most = Math.min(wanted.length, bytes.length - place)
  // Copies of blocks, wherever they lie, can be compared four bytes at a time.
  const block = Math.min(blockBytes, 4 * Math.ceil(most / 4))
  const [a, b] = [new Uint8Array(block), new Uint8Array(block)]
  const [wordsA, wordsB] = [new Int32Array(a.buffer), new Int32Array(b.buffer)]
  for (let start = 0; start < most; start += block) {
    const length = Math.min(block, most - start)
    a.set(wanted.subarray(start, start + length))
    b.set(bytes.subarray(place + start, place + start + length))
    // What a last, shorter block leaves of the one before is equal.
    for (let index = 0; index < wordsA.length; index++)
      if (wordsA[index] !== wordsB[index]) return Math.min(start + 4 * index, most)
  }
  return most
}
