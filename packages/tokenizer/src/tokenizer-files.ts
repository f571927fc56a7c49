/**
 * What a file of a tokenizer holds: `vocabulary`, tokens with their ids, merges or scores in some form, which a new
 * vocabulary makes stale; `settings`, which hold for any vocabulary; `template`, a chat template.
 */
export type TokenizerFileRole = 'vocabulary' | 'settings' | 'template'

/** A row of the table of tokenizer files. */
export interface TokenizerFile {
  /** A path inside a model's folder; one `*` stands for any characters but `/`. */
  readonly name: string
  readonly role: TokenizerFileRole
}

/**
 * The files that belong to a tokenizer: of two rows that fit, the first counts. Names are those that the tokenizers of
 * transformers ask for, from its first versions on, and those of tokenizers that models bring as code (tiktoken's ranks,
 * Mistral's tekken, RWKV's list). A model's Python modules are not among them: they belong to its code.
 */
export const tokenizerFiles: readonly TokenizerFile[] = [
  { name: 'tokenizer.json', role: 'vocabulary' },
  { name: 'tokenizer_config.json', role: 'settings' },
  { name: 'special_tokens_map.json', role: 'settings' },
  { name: 'added_tokens.json', role: 'vocabulary' },
  { name: 'chat_template.jinja', role: 'template' },
  { name: 'chat_template.json', role: 'template' },
  // BPE and WordPiece, as the slow tokenizers have it
  { name: 'vocab.json', role: 'vocabulary' },
  { name: 'merges.txt', role: 'vocabulary' },
  { name: 'vocab.txt', role: 'vocabulary' },
  // sentencepiece and tiktoken
  { name: 'tokenizer.model', role: 'vocabulary' },
  { name: 'spiece.model', role: 'vocabulary' },
  { name: 'sentencepiece.bpe.model', role: 'vocabulary' },
  { name: 'tiktoken.model', role: 'vocabulary' },
  { name: 'tekken.json', role: 'vocabulary' },
  { name: '*.model', role: 'vocabulary' },
  { name: 'tokenizer.model.v*', role: 'vocabulary' },
  { name: '*.spm', role: 'vocabulary' },
  { name: '*.tiktoken', role: 'vocabulary' },
  // GPT-2's first release, and single families
  { name: 'encoder.json', role: 'vocabulary' },
  { name: 'vocab.bpe', role: 'vocabulary' },
  { name: 'bpe.codes', role: 'vocabulary' },
  { name: 'dict.txt', role: 'vocabulary' },
  { name: 'prophetnet.tokenizer', role: 'vocabulary' },
  { name: 'vocab-src.json', role: 'vocabulary' },
  { name: 'vocab-tgt.json', role: 'vocabulary' },
  { name: 'target_vocab.json', role: 'vocabulary' },
  { name: 'byte_maps.json', role: 'vocabulary' },
  { name: 'word_shape.json', role: 'vocabulary' },
  { name: 'word_pronunciation.json', role: 'vocabulary' },
  { name: 'rwkv_vocab_*.txt', role: 'vocabulary' },
  { name: 'entity_vocab.json', role: 'settings' },
  { name: 'emoji.json', role: 'settings' },
  { name: 'normalizer.json', role: 'settings' },
  { name: '*.jinja', role: 'template' },
  { name: 'additional_chat_templates/*.jinja', role: 'template' },
  { name: 'chat_templates/*.jinja', role: 'template' },
]

/**
 * Tells what a file of a model's folder holds of its tokenizer; undefined where it belongs to something else.
 *
 * @param path inside the folder, with `/`
 */
export function tokenizerFileRole(path: string): TokenizerFileRole | undefined {
  return tokenizerFiles.find(({ name }) => fits(path, name))?.role
}

function fits(path: string, pattern: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return path === pattern
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)]
  return (
    path.length > before.length + after.length &&
    path.startsWith(before) &&
    path.endsWith(after) &&
    !path.slice(before.length, path.length - after.length).includes('/')
  )
}

/** Orders paths as the table does, files of one row by name. Files that are not a tokenizer's are left out. */
export function orderTokenizerFiles(paths: Iterable<string>): string[] {
  const rowOf = (path: string): number => tokenizerFiles.findIndex(({ name }) => fits(path, name))
  return [...paths]
    .map((path) => ({ path, row: rowOf(path) }))
    .filter(({ row }) => row >= 0)
    .sort((a, b) => a.row - b.row || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path)
}

/** Tells whether a file is (or may be) a sentencepiece model, which can be copied but is not read. */
export const isSentencePiece = (path: string): boolean => /\.(model|spm)$/.test(path) && path !== 'tiktoken.model'
