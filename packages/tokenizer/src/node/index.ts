export {
  type FilesElsewhere,
  parsedTokenizerFiles,
  readChatTemplate,
  readTokenizer,
  readTokenizerElsewhere,
} from './read-tokenizer.ts'
