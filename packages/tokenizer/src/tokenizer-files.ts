/** The files of a model folder that this package reads. */
export const tokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
] as const

/** Other spellings of a vocabulary: copied along with an unchanged tokenizer, left out beside a changed one. */
export const companionFiles = [
  'vocab.json',
  'merges.txt',
  'vocab.txt',
  'tokenizer.model',
  'spiece.model',
  'sentencepiece.bpe.model',
  'tiktoken.model',
  'tekken.json',
] as const

export const sentencePieceFiles: readonly string[] = ['tokenizer.model', 'spiece.model', 'sentencepiece.bpe.model']

/** Where the ids of special tokens are written. */
export const idFiles = ['config.json', 'generation_config.json'] as const
