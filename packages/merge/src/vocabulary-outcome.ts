import type { ExplainedDecision, TokenIdChange } from '@mk/tokenizer'
import type { RowPlan } from './plan/plan-rows.ts'

/** What the tokenizer settings of a config mean for the output. */
export interface VocabularyOutcome {
  /** Undefined where rows keep their meaning. */
  readonly rows: RowPlan | undefined
  readonly files: readonly { readonly name: string; readonly text: string }[]
  readonly copies: readonly { readonly name: string; readonly from: string }[]
  /** Small files of the donor that must not be copied, since the vocabulary is another one. */
  readonly omitted: ReadonlySet<string>
  readonly tokenIds: readonly TokenIdChange[]
  readonly decisions: readonly ExplainedDecision[]
  readonly warnings: readonly string[]
}

export const unchangedVocabulary: VocabularyOutcome = {
  rows: undefined,
  files: [],
  copies: [],
  omitted: new Set(),
  tokenIds: [],
  decisions: [],
  warnings: [],
}

export type TokenDecisions = VocabularyOutcome['decisions']
