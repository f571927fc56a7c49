import { tokenizerFileRole } from '@mk/tokenizer/files'

/**
 * What a small file beside the weights is for. `vocabulary`, `tokenizer-settings` and `chat-template` are the tokenizer's;
 * `generation` and `processor` hold settings of sampling and of images, audio and video; `sentence-transformers` says how
 * embeddings are pooled; `code` is the model's own Python, which is never run; `other` is whatever else a loader or a processor
 * of that model may read: lists of words, voices, settings of a library.
 */
export type FileRole =
  | 'vocabulary'
  | 'tokenizer-settings'
  | 'chat-template'
  | 'generation'
  | 'processor'
  | 'sentence-transformers'
  | 'code'
  | 'other'

const ofTokenizer = { vocabulary: 'vocabulary', settings: 'tokenizer-settings', template: 'chat-template' } as const

const others: readonly (readonly [FileRole, RegExp])[] = [
  ['generation', /^generation_config\.json$/],
  [
    'processor',
    /^(preprocessor_config|processor_config|image_processor_config|video_preprocessor_config|feature_extractor_config)\.json$/,
  ],
  ['sentence-transformers', /^(modules|config_sentence_transformers|sentence_\w+_config)\.json$/],
  ['sentence-transformers', /^\d+_[A-Z]\w*\//],
]

/** Matches weights in the formats of all frameworks, and what lists or describes them: the output has its own. */
const weights =
  /\.(safetensors|bin|pt|pth|ckpt|gguf|ggml|ggmlv\d|onnx|onnx_data(_\d+)?|h5|hdf5|keras|msgpack|tflite|pb|mlmodel|ot|pkl|pickle|nemo|engine|llamafile|pdparams|mindir|data-\d+-of-\d+)$|(^|\/)(consolidated[\w.-]*|(weights|model|adapters?|params)[\w.-]*\.npz)$|\.index(\.[\w-]+)?\.json$/

/** Matches what stays behind, though it is no weights. */
const left: readonly RegExp[] = [
  // the output has its own, or none: config, model card, recipe, adapters, settings of a quantization, of another layout
  /^(config|adapter_config|quantize_config|quant_config|hf_quant_config|params|model_index)\.json$/,
  /^(mergekit_config\.ya?ml|checklist\.chk)$/,
  // pages; licenses are those of all inputs, so that a copy of one would mislead
  /\.(md|rst|pdf|html?|ipynb|png|jpe?g|gif|webp|svg|bmp|ico|mp4|mov|webm)$/i,
  /^(readme|licen[cs]e|notice|copying|use_policy|acceptable_use|changelog|citation|authors)[^/]*$/i,
  // modules of merge methods, as the card of an earlier merge has them beside it
  /\.[cm]?[jt]s$/,
  // training and evaluation
  /^(trainer_state|training_args|\w+_results|training_\w+|log_history)\.json$/,
  /(^|\/)(events\.out\.|optimizer|scheduler|rng_state|zero_to_fp32|latest$)/,
  /\.(jsonl|log|parquet|arrow|diff|patch|sh|ps1|bat|slurm|lock|tmp|bak|orig|part|incomplete)$|~$/,
  // whole folders: hidden ones, training, and the same model for other programs
  /(^|\/)(\.|__pycache__\/|__MACOSX\/)/,
  /^(runs|logs?|wandb|checkpoint-\d+|global_step\w*|original|onnx|openvino|coreml|gguf|metal|flax|tf|tensorrt|evals?|evaluation|results|mlx)\//i,
]

/** Tells whether a file holds weights, in any format. */
export const isWeights = (path: string): boolean => weights.test(path)

/**
 * Tells what a file of a model's repository is for; undefined where an output has no use for it: weights and their index, pages,
 * states of training. config.json has no role, since an output gets one of its own.
 * @param path inside the folder, with `/`
 */
export function fileRole(path: string): FileRole | undefined {
  const role = tokenizerFileRole(path)
  if (role !== undefined) return ofTokenizer[role]
  if (left.some((pattern) => pattern.test(path))) return undefined
  const known = others.find(([, pattern]) => pattern.test(path))?.[0]
  // Weights of a module that only sentence-transformers has, such as 2_Dense, are not merged, and the output lacks it without them.
  if (known !== undefined) return known
  if (isWeights(path)) return undefined
  return path.endsWith('.py') ? 'code' : 'other'
}

/** Tells whether a Python file has a name under which transformers looks for code that a model brings. */
export const isNamedCode = (path: string): boolean =>
  /^(configuration|modeling|tokenization|processing|image_processing)_\w+\.py$/.test(path)
