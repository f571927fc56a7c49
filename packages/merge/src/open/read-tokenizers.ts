import type { Checkpoint } from '@mk/checkpoint'
import { issueErrorOf } from '@mk/errors'
import { KnownVocabularies, type ModelTokenizer, readTokenizerElsewhere, readTokenizerFrom } from '@mk/tokenizer'
import type { MergeInputs } from './merge-inputs.ts'
import { filesElsewhere } from './small-files.ts'

/** The tokenizers of the inputs, each read when it is first asked for, and no more than once. */
export interface Tokenizers {
  /** Undefined where the input is no folder. @throws TokenizerError */
  read(input: number): Promise<ModelTokenizer | undefined>
  /** One that is only looked at need not be sound: undefined where it isn't, since what needs it will say so. */
  readIfSound(input: number): Promise<ModelTokenizer | undefined>
}

/** Makes the tokenizers of inputs readable. */
export function openTokenizers({ store, checkpoints }: Pick<MergeInputs, 'store' | 'checkpoints'>): Tokenizers {
  const known = new Map<number, Promise<ModelTokenizer | undefined>>()
  let last: Promise<unknown> = Promise.resolve()
  // The models of a merge mostly have one and the same vocabulary.
  let vocabularies: KnownVocabularies | undefined = new KnownVocabularies()
  const open = async (checkpoint: Checkpoint): Promise<ModelTokenizer | undefined> => {
    const { folder, documents } = checkpoint
    const elsewhere = filesElsewhere(checkpoint)
    if (folder === undefined) return undefined
    return elsewhere === undefined
      ? readTokenizerFrom(store, folder, documents, vocabularies)
      : readTokenizerElsewhere(store, folder, elsewhere, documents, vocabularies)
  }
  const read = (input: number): Promise<ModelTokenizer | undefined> => {
    const before = known.get(input)
    if (before !== undefined) return before
    // One after the other: the text of a large vocabulary takes more room than what is made of it.
    const reading = last.then(() => open(checkpoints[input]!))
    last = reading.catch(() => {})
    known.set(input, reading)
    // After the last one nothing is to be compared.
    if (known.size === checkpoints.length)
      last = last.then(() => {
        vocabularies = undefined
      })
    return reading
  }
  return {
    read,
    readIfSound: (input) =>
      read(input).catch((error: unknown) => {
        if (issueErrorOf(error)?.fault !== 'usage') throw error
        return undefined
      }),
  }
}
