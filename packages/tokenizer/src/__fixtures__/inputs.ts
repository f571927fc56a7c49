import {
  type ModelTokenizer,
  TokenizerError,
  type TokenizerIssue,
  type TokenizerSetting,
  type VocabularyInput,
  type VocabularyPlan,
} from '../index.ts'
import { smallTokenizer, tokenizerJson } from './small-tokenizer.ts'

export type Json = Record<string, unknown>

export const model = (tokenizer: ModelTokenizer, embeddingRows?: number, label = 'model'): VocabularyInput => ({
  label,
  tokenizer,
  embeddingRows: embeddingRows ?? ('ids' in tokenizer ? tokenizer.ids.size : 0),
})

/** A model with a character BPE: `tokens` in the order of their ids, then `added`. */
export const bpe = (
  tokens: readonly string[],
  added: readonly (string | Json)[] = [],
  rows?: number,
): VocabularyInput => model(smallTokenizer(tokenizerJson(tokens, added)), rows)

export const union = {
  kind: 'complete-rows',
  source: { kind: 'union' },
  tokens: [],
} as const satisfies TokenizerSetting
export const ofBase = {
  kind: 'complete-rows',
  source: { kind: 'base' },
  tokens: [],
} as const satisfies TokenizerSetting

/** The tokenizer.json that a plan writes, read again. */
export const written = (plan: VocabularyPlan) => smallTokenizer(plan.write.get('tokenizer.json')!)

export function issueOf(run: () => unknown): TokenizerIssue {
  try {
    run()
  } catch (error) {
    if (error instanceof TokenizerError) return error.issue
    throw error
  }
  throw new Error('nothing was thrown')
}
