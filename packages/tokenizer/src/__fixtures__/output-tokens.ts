import { parseTokenizer, type VocabularyInput, type VocabularyPlan } from '../index.ts'
import { hiddenMark } from '../write/hidden-names.ts'

/**
 * The tokens that the output's tokenizer.json gives to its ids, those under a hidden name by their own; undefined at holes.
 *
 * @param models the inputs, needed where it is copied
 */
export function outputTokens(
  { donor, write }: VocabularyPlan,
  models: readonly VocabularyInput[] = [],
): (string | undefined)[] {
  const text = write.get('tokenizer.json')
  const tokenizer = text === undefined ? models[donor]!.tokenizer : parseTokenizer(new Map([['tokenizer.json', text]]))
  if (!('ids' in tokenizer)) throw new Error('the output has no tokenizer.json')
  const tokens = Array.from<string | undefined>({ length: Math.max(...tokenizer.ids.values()) + 1 })
  for (const [token, id] of tokenizer.ids) {
    if (!token.startsWith(hiddenMark)) tokens[id] = token.replace(new RegExp(`${hiddenMark}+$`), '')
  }
  return tokens
}

/** For each row of the output 1 where the model has a row of its own for it. */
export function ownRows({ models }: VocabularyPlan, model: number): number[] {
  return models[model]!.segments.flatMap((segment) =>
    Array.from({ length: segment.rowCount }, () => (segment.kind === 'copy' && segment.source === model ? 1 : 0)),
  )
}
