const atTheTop = 'it stands at the top level of the config'
const onTheCommandLine = (flag: string) => `it is a flag of the command line, ${flag}`
const behindTheModel = {
  revision: `a revision is written behind the model's name: 'model: org/name@revision'`,
  adapter: `an adapter is written behind the model's name: 'model: org/name+org/adapter'`,
}
const sliceForm = `a slice is written '- sources: [{model, layer_range}]'`
const rangesOfLayers = 'it stands under slices: [{sources: [{model, layer_range}]}]'
const noSuchText = 'a recipe has no place for it; a comment (# …) can hold it'
const outputFolder = `the folder to write is the second argument of the command: mergekit-yaml RECIPE OUT`

const each = (keys: readonly string[], hint: string) => Object.fromEntries(keys.map((key) => [key, hint]))

/** What people write at the top of a recipe that is no key there, and the way out. */
export const topHints: Readonly<Record<string, string>> = {
  model: `each model is written '- model: …' under models`,
  ...each(['layer_range', 'sources', 'layers'], rangesOfLayers),
  ...each(
    ['output_dir', 'output', 'out', 'output_path', 'out_path', 'out_dir', 'output_folder', 'save_path', 'save_dir'],
    outputFolder,
  ),
  ...each(['revision', 'branch', 'commit'], behindTheModel.revision),
  ...each(['lora', 'loras', 'adapter', 'adapters', 'lora_path', 'adapter_path'], behindTheModel.adapter),
  ...each(['seed'], onTheCommandLine('--random-seed')),
  ...each(['copy_tokenizer'], onTheCommandLine('--no-copy-tokenizer')),
  ...each(['write_model_card'], onTheCommandLine('--no-write-model-card')),
  ...each(['cuda', 'device', 'use_cuda', 'gpu'], onTheCommandLine('--device')),
  ...each(['allow_crimes'], onTheCommandLine('--allow-crimes')),
  ...each(['out_shard_size', 'max_shard_size', 'shard_size'], onTheCommandLine('--out-shard-size')),
  ...each(['threads', 'num_threads'], onTheCommandLine('--threads')),
  ...each(['lazy_unpickle', 'low_cpu_memory', 'trust_remote_code', 'clone_tensors'], 'it is not needed: leave it out'),
  ...each(['hf_token', 'token', 'use_auth_token'], 'the hub is told the token in the environment, as HF_TOKEN'),
  ...each(['license', 'tags', 'language', 'description', 'author', 'title', 'version'], noSuchText),
}

/** What people call the keys of the top. */
export const topNames: Readonly<Record<string, string>> = {
  method: 'merge_method',
  merge_type: 'merge_method',
  algorithm: 'merge_method',
  base: 'base_model',
  torch_dtype: 'dtype',
  precision: 'dtype',
  output_dtype: 'out_dtype',
  save_dtype: 'out_dtype',
  output_format: 'out_format',
  out_rank: 'rank',
  lora_rank: 'rank',
  max_rank: 'rank',
  lora_space: 'adapter_space',
  combination_type: 'merge_method',
  format: 'out_format',
  params: 'parameters',
  settings: 'parameters',
  options: 'parameters',
}

/** What people write beside a model, in models or in the sources of a slice. */
export const sourceHints: Readonly<Record<string, string>> = {
  ...each(['revision', 'branch', 'commit', 'tag', 'rev'], behindTheModel.revision),
  ...each(['lora', 'loras', 'adapter', 'adapters', 'lora_path', 'adapter_path', 'peft'], behindTheModel.adapter),
  ...each(
    [
      'merge_method',
      'dtype',
      'torch_dtype',
      'out_dtype',
      'out_format',
      'rank',
      'adapter_space',
      'base_model',
      'tokenizer_source',
      'tokenizer',
      'chat_template',
    ],
    atTheTop,
  ),
  ...each(['base', 'is_base'], `the base is named once, as base_model at the top level`),
  ...each(['sources', 'slices'], sliceForm),
}

/** What people call the keys beside a model. */
export const sourceNames: Readonly<Record<string, string>> = {
  name: 'model',
  path: 'model',
  id: 'model',
  repo: 'model',
  repo_id: 'model',
  checkpoint: 'model',
  source: 'model',
  model_name: 'model',
  model_path: 'model',
  model_id: 'model',
  params: 'parameters',
  settings: 'parameters',
  options: 'parameters',
}

/** What people call `layer_range`. */
export const rangeNames: Readonly<Record<string, string>> = {
  layers: 'layer_range',
  layer: 'layer_range',
  range: 'layer_range',
}

/** What people write in a slice. */
export const sliceHints: Readonly<Record<string, string>> = {
  ...each(['dtype', 'out_dtype', 'out_format', 'rank', 'adapter_space', 'tokenizer_source', 'tokenizer'], atTheTop),
  ...each(['model', 'layer_range', 'layers', 'range'], sliceForm),
}

/** What people call the keys of a slice. */
export const sliceNames: Readonly<Record<string, string>> = {
  method: 'merge_method',
  models: 'sources',
  source: 'sources',
  params: 'parameters',
  base: 'base_model',
}

/** What people write in a module. */
export const moduleHints: Readonly<Record<string, string>> = each(
  ['base_model', 'dtype', 'out_dtype', 'out_format', 'rank', 'adapter_space', 'tokenizer_source', 'tokenizer'],
  atTheTop,
)
