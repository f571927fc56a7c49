import { expect, it } from 'vitest'
import { faultsOf, withTop } from './__fixtures__/failures.ts'

const beside = (key: string) => faultsOf(`merge_method: linear\nmodels: [{model: a, ${key}: x}]`)
const inSource = (key: string) => faultsOf(`merge_method: linear\nslices: [{sources: [{model: a, ${key}: x}]}]`)
const top = (key: string) => faultsOf(withTop(`${key}: x`))
const inSlice = (key: string) => faultsOf(`merge_method: linear\nslices: [{sources: [{model: a}], ${key}: x}]`)
const inModule = (key: string) => faultsOf(`merge_method: linear\nmodules: {m: {models: [{model: a}], ${key}: x}}`)

it.each([
  [beside('revision'), `'model: org/name@revision'`],
  [inSource('revision'), `'model: org/name@revision'`],
  [inSource('branch'), `'model: org/name@revision'`],
  [beside('lora'), `'model: org/name+org/adapter'`],
  [inSource('adapter_path'), `'model: org/name+org/adapter'`],
  [beside('dtype'), 'it stands at the top level of the config'],
  [inSource('layers'), `did you mean 'layer_range'?`],
  [beside('params'), `did you mean 'parameters'?`],
  [top('output_dir'), 'mergekit-yaml RECIPE OUT'],
  [top('Output_Path'), 'mergekit-yaml RECIPE OUT'],
  [top('seed'), '--random-seed'],
  [top('torch_dtype'), `did you mean 'dtype'?`],
  [top('license'), 'a comment'],
  [top('weight'), 'settings of the merge method stand under parameters'],
  [faultsOf('method: linear\nmodels: [{model: a}]'), `did you mean 'merge_method'?`],
  [faultsOf('merge_method: linear\nmodels: [{name: a}]'), `did you mean 'model'?`],
  [faultsOf('merge_method: linear\nmodels: [{path: a}]'), `did you mean 'model'?`],
  [faultsOf('merge_method: linear\nslices: [{models: [{model: a}]}]'), `did you mean 'sources'?`],
  [
    faultsOf('merge_method: linear\nmodels: [{model: a, parameters: {dare: {drop_rate: 0.9}}}]'),
    'is a mapping, expected',
  ],
])('%j leads to what is meant', (faults, hint) => {
  expect(faults).toEqual([expect.stringContaining(hint)])
})

const topLevel = 'it stands at the top level of the config'
it.each<[string, (key: string) => string[], string]>([
  ['layer_range sources layers', top, 'slices: [{sources: [{model, layer_range}]}]'],
  [
    'output_dir output out output_path out_path out_dir output_folder save_path save_dir',
    top,
    'mergekit-yaml RECIPE OUT',
  ],
  ['revision branch commit', top, 'org/name@revision'],
  ['lora loras adapter adapters lora_path adapter_path', top, 'org/name+org/adapter'],
  ['cuda device use_cuda gpu', top, 'command line, --device'],
  ['copy_tokenizer', top, 'command line, --no-copy-tokenizer'],
  ['write_model_card', top, 'command line, --no-write-model-card'],
  ['allow_crimes', top, 'command line, --allow-crimes'],
  ['out_shard_size max_shard_size shard_size', top, 'command line, --out-shard-size'],
  ['threads num_threads', top, 'command line, --threads'],
  ['lazy_unpickle low_cpu_memory trust_remote_code clone_tensors', top, 'leave it out'],
  ['hf_token token use_auth_token', top, 'HF_TOKEN'],
  ['license tags language description author title version', top, 'a comment (# …) can hold it'],
  ['seed', top, 'command line, --random-seed'],
  ['output_format format', top, `did you mean 'out_format'?`],
  ['out_rank lora_rank max_rank', top, `did you mean 'rank'?`],
  ['lora_space', top, `did you mean 'adapter_space'?`],
  ['model', top, `each model is written '- model: …' under models`],
  ['method merge_type algorithm combination_type', top, `did you mean 'merge_method'?`],
  ['base', top, `did you mean 'base_model'?`],
  ['torch_dtype precision', top, `did you mean 'dtype'?`],
  ['output_dtype save_dtype', top, `did you mean 'out_dtype'?`],
  ['params settings options', top, `did you mean 'parameters'?`],
  ['revision branch commit tag rev', beside, 'org/name@revision'],
  ['lora loras adapter adapters lora_path adapter_path peft', beside, 'org/name+org/adapter'],
  ['merge_method dtype torch_dtype out_dtype out_format rank adapter_space base_model', beside, topLevel],
  ['tokenizer_source tokenizer chat_template', beside, topLevel],
  ['base is_base', beside, 'the base is named once'],
  ['sources slices', beside, `'- sources: [{model, layer_range}]'`],
  ['params settings options', beside, `did you mean 'parameters'?`],
  ['layers layer range', inSource, `did you mean 'layer_range'?`],
  ['dtype out_dtype out_format rank adapter_space tokenizer_source tokenizer', inSlice, topLevel],
  ['method', inSlice, `did you mean 'merge_method'?`],
  ['model layer_range layers range', inSlice, `'- sources: [{model, layer_range}]'`],
  ['params', inSlice, `did you mean 'parameters'?`],
  ['base', inSlice, `did you mean 'base_model'?`],
  ['base_model dtype out_dtype out_format rank adapter_space tokenizer_source tokenizer', inModule, topLevel],
])('%s', (keys, faults, hint) => {
  const words = new RegExp(`${hint.replace(/[^\w ]/g, '\\$&')}(?![\\w-])`)
  for (const key of keys.split(' ')) expect([key, ...faults(key)]).toContainEqual(expect.stringMatching(words))
})

it.each('name path id repo repo_id checkpoint source model_name model_path model_id'.split(' '))(
  '%s in the place of model is taken for it',
  (key) => {
    expect(faultsOf(`merge_method: linear\nmodels: [{${key}: a}]`)).toContainEqual(
      expect.stringContaining(`did you mean 'model'?`),
    )
  },
)

it.each(['models', 'source'])('%s in the place of sources is taken for it', (key) => {
  expect(faultsOf(`merge_method: linear\nslices: [{${key}: [{model: a}]}]`)).toContainEqual(
    expect.stringContaining(`did you mean 'sources'?`),
  )
})
