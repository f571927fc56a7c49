export { readChatTemplate, readTokenizer } from './read-tokenizer.ts'
