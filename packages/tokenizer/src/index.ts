export { parseChatTemplate, planChatTemplateFiles, resolveChatTemplate } from './chat-template.ts'
export type { ChatTemplate } from './chat-template.ts'
export { TokenizerError } from './errors.ts'
export type { TokenizerIssue } from './errors.ts'
export { explainDecision, explainNotice } from './explain.ts'
export type { ExplainedDecision } from './explain.ts'
export type {
  AddedToken,
  LoadedTokenizer,
  MissingTokenizer,
  ModelTokenizer,
  SentencePieceOnly,
  TokenizerKind,
} from './model-tokenizer.ts'
export type { VocabularyNotice } from './notices.ts'
export { parseTokenizer } from './parse-tokenizer.ts'
export type { ModelRows, TokenDecision } from './plan-rows.ts'
export { planVocabulary } from './plan-vocabulary.ts'
export type { VocabularyPlan, VocabularyRequest } from './plan-vocabulary.ts'
export type { RowRule } from './row-rules.ts'
export type { TokenIdChange, TokenIdSetting } from './token-ids.ts'
export { tokenizerFileRole, tokenizerFiles } from './tokenizer-files.ts'
export type { TokenizerFile, TokenizerFileRole } from './tokenizer-files.ts'
export { resolveTokenizerSetting } from './tokenizer-setting.ts'
export type { TokenizerSetting, TokenizerSource, TokenSetting, TokenSource } from './tokenizer-setting.ts'
export type { VocabularyInput } from './vocabulary-models.ts'
