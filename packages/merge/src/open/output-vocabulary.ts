import type { GatherSegment } from '@mk/source'
import type { ExplainedDecision, TokenIdChange } from '@mk/tokenizer'

/** The vocabulary of the output, as the tokenizer settings of the config have it, and what follows for the output's files. */
export interface OutputVocabulary {
  /** Undefined where rows keep their meaning. */
  readonly rows: VocabularyRows | undefined
  /** Tokenizer files that are written anew; their texts may be made when they are first read. */
  readonly documents: readonly { readonly name: string; readonly text: string }[]
  /** Tokenizer files of another model than the donor. */
  readonly copies: readonly { readonly name: string; readonly from: string }[]
  /** Files of the donor that must not be copied, since what they say no longer holds. */
  readonly omitted: ReadonlySet<string>
  /** Ids in config.json and generation_config.json that change. */
  readonly tokenIds: readonly TokenIdChange[]
  readonly decisions: readonly ExplainedDecision[]
  readonly notes: readonly string[]
  /** What may make the output useless though it can be written, in words. */
  readonly warnings: readonly string[]
  /** Whether the warnings name the tokens whose rows are cut, so that no note has to tell of the matrices. */
  readonly namesCutTokens: boolean
}

/** The output vocabulary as far as rows are concerned; one entry of `segments` per input of the merge. */
export interface VocabularyRows {
  /**
   * 'complete-rows': each model has a whole matrix, and the merge method merges them. 'average-rows': a row is the average
   * over the models that have its token.
   */
  readonly kind: 'complete-rows' | 'average-rows'
  readonly rowCount: number
  readonly segments: readonly (readonly GatherSegment[])[]
  /** Rows of each input's embedding: what segments count on. */
  readonly embeddingRows: readonly number[]
}

export const unchangedVocabulary: OutputVocabulary = {
  rows: undefined,
  documents: [],
  copies: [],
  omitted: new Set(),
  tokenIds: [],
  decisions: [],
  notes: [],
  warnings: [],
  namesCutTokens: false,
}
