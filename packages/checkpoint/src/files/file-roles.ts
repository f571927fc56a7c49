import { tokenizerFileRole } from '@mk/tokenizer/files'

/**
 * What a small file beside the weights is for. `vocabulary`, `tokenizer-settings` and `chat-template` are the tokenizer's;
 * `generation` and `processor` hold settings of sampling and of images, audio and video; `sentence-transformers` says how
 * embeddings are pooled; `code` is the model's own Python, which is never run.
 */
export type FileRole =
  | 'vocabulary'
  | 'tokenizer-settings'
  | 'chat-template'
  | 'generation'
  | 'processor'
  | 'sentence-transformers'
  | 'code'

const ofTokenizer = { vocabulary: 'vocabulary', settings: 'tokenizer-settings', template: 'chat-template' } as const

const others: readonly (readonly [FileRole, RegExp])[] = [
  ['generation', /^generation_config\.json$/],
  [
    'processor',
    /^(preprocessor_config|processor_config|image_processor_config|video_preprocessor_config|feature_extractor_config)\.json$/,
  ],
  ['sentence-transformers', /^(modules|config_sentence_transformers|sentence_\w+_config)\.json$/],
  ['sentence-transformers', /^\d+_(Pooling|Dense|Normalize)\/config\.json$/],
  ['code', /^[\w.-]+\.py$/],
]

/**
 * Tells what a file of a model's repository is for; undefined where an output has no use for it: weights and their index, pages,
 * states of training. config.json has no role, since an output gets one of its own.
 * @param path inside the folder, with `/`
 */
export function fileRole(path: string): FileRole | undefined {
  const role = tokenizerFileRole(path)
  if (role !== undefined) return ofTokenizer[role]
  return others.find(([, pattern]) => pattern.test(path))?.[0]
}

/** Tells whether a Python file has a name under which transformers looks for code that a model brings. */
export const isNamedCode = (path: string): boolean =>
  /^(configuration|modeling|tokenization|processing|image_processing)_\w+\.py$/.test(path)
