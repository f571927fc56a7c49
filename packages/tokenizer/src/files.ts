export { tokenizerFileRole, tokenizerFiles } from './tokenizer-files.ts'
export type { TokenizerFile, TokenizerFileRole } from './tokenizer-files.ts'
