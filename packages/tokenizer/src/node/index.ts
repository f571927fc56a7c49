export { parsedTokenizerFiles, readChatTemplate, readTokenizer } from './read-tokenizer.ts'
