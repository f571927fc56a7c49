export { parseChatTemplate } from './parse/chat-template.ts'
export type { ChatTemplate } from './parse/chat-template.ts'
export { namingFolder, TokenizerError } from './errors.ts'
export type { TokenizerIssue } from './errors.ts'
export { explainDecision, explainDecisions } from './plan/explain-decision.ts'
export type { ExplainedDecision } from './plan/explain-decision.ts'
export type {
  AddedToken,
  LoadedTokenizer,
  MissingTokenizer,
  ModelTokenizer,
  SentencePieceOnly,
  TokenizerKind,
} from './parse/model-tokenizer.ts'
export { explainNotice } from './notices.ts'
export type { VocabularyNotice } from './notices.ts'
export { KnownVocabularies } from './parse/known-vocabularies.ts'
export type { Merges } from './parse/merges.ts'
export { parseTokenizer } from './parse/parse-tokenizer.ts'
export type { TokenizerContents } from './parse/parse-tokenizer.ts'
export type { ModelRows, TokenDecision } from './plan/plan-rows.ts'
export { planVocabulary } from './plan/plan-vocabulary.ts'
export type { VocabularyPlan, VocabularyRequest } from './plan/plan-vocabulary.ts'
export type { RowRule } from './plan/row-rules.ts'
export type { IdDocuments, IdFile, TokenIdSetting } from './parse/list-token-ids.ts'
export type { TokenIdChange } from './plan/plan-token-ids.ts'
export { resolveChatTemplate } from './plan/resolve-chat-template.ts'
export { planChatTemplateFiles } from './write/chat-template-files.ts'
export { resolveTokenizerSetting } from './plan/tokenizer-setting.ts'
export type { TokenizerSetting, TokenizerSource, TokenSetting, TokenSource } from './plan/tokenizer-setting.ts'
export type { VocabularyInput } from './plan/vocabulary-models.ts'
export { listTemplateMarks, listTokensBeyond, tokensInTemplate } from './plan/template-tokens.ts'
export {
  type FilesElsewhere,
  parsedTokenizerFiles,
  readChatTemplateFrom,
  readTokenizerElsewhere,
  readTokenizerFrom,
} from './read/read-tokenizer.ts'
