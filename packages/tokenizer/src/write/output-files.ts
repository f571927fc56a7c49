import type { VocabularyNotice } from '../notices.ts'
import type { OutputVocabulary } from '../plan/output-vocabulary.ts'
import { loadedTokenizer, type VocabularyInput } from '../plan/vocabulary-models.ts'
import { tokenizerFileRole } from '../tokenizer-files.ts'
import { writeAddedTokenLists } from './added-token-lists.ts'
import { MadeTexts } from './made-texts.ts'
import { writeTokenizer } from './write-tokenizer.ts'

/** The tokenizer files of an output: names of those to copy, texts by name of those to write, made when they are read. */
interface OutputFiles {
  readonly copy: readonly string[]
  readonly write: ReadonlyMap<string, string>
  readonly notices: readonly VocabularyNotice[]
}

/** Copies an unchanged tokenizer whole; writes a changed one, without the other forms of its vocabulary. */
export function planTokenizerFiles(input: VocabularyInput, output: OutputVocabulary): OutputFiles {
  const donor = loadedTokenizer(input)
  const complete =
    donor.ids.size === output.tokens.reduce((count, token) => (token === undefined ? count : count + 1), 0)
  if (complete && output.additions.length === 0 && output.promoted.length === 0)
    return { copy: donor.files, write: new Map(), notices: [] }
  const { makeText, hidden, added } = writeTokenizer(donor, input.embeddingRows, output)
  const write = new MadeTexts([['tokenizer.json', makeText], ...writeAddedTokenLists(donor, added)])
  const others = donor.files.filter((name) => !write.has(name))
  const isStale = (name: string): boolean => tokenizerFileRole(name) === 'vocabulary'
  const leftOut = others.filter(isStale)
  return {
    copy: others.filter((name) => !isStale(name)),
    write,
    notices: [
      ...(hidden.length > 0 ? [{ code: 'hidden-tokens', tokens: hidden } as const] : []),
      ...(leftOut.length > 0 ? [{ code: 'left-out-files', files: leftOut } as const] : []),
    ],
  }
}
