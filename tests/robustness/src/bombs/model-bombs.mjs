import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { entry, list, nested, safetensors, tinyModel } from './pieces.mjs'

const copyOf = (folder) => `merge_method: passthrough\nmodels: [{model: ${folder}}]`

/** A model's folder and a recipe, planned. */
const bomb = (
  name,
  { config = { model_type: 'x' }, weights = () => tinyModel, change = () => {}, recipe = copyOf },
) => ({
  name: `model: ${name}`,
  kind: 'model',
  recipe,
  make(folder) {
    mkdirSync(folder, { recursive: true })
    const given = typeof config === 'function' ? config() : config
    writeFileSync(join(folder, 'config.json'), typeof given === 'string' ? given : JSON.stringify(given))
    writeFileSync(join(folder, 'model.safetensors'), weights())
    change(folder)
  },
})

const instead = (name, put) => (folder) => {
  rmSync(join(folder, name), { force: true })
  put(join(folder, name))
}
const fifo = (path) => spawnSync('mkfifo', [path])
const zeros = (path) => symlinkSync('/dev/zero', path)
const llama = { model_type: 'llama', num_hidden_layers: 2 }

/** @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const modelBombs = [
  bomb('300,000 tensors', {
    weights: () =>
      safetensors(
        `{${list(3e5, (index) => `"m.layers.${Math.floor(index / 30)}.w${index % 30}":${entry('U8', '0', 0, 0)}`)}}`,
      ),
  }),
  bomb('200,000 tensors of no layer, slerp with filters', {
    weights: () => safetensors(`{${list(2e5, (index) => `"w${index}x":${entry('F32', '0', 0, 0)}`)}}`),
    recipe: (folder) =>
      `merge_method: slerp\nbase_model: ${folder}\nparameters: {t: [{filter: self_attn, value: [0, 1]}, {value: 0.5}]}\nmodels: [{model: ${folder}}, {model: ${folder}}]`,
  }),
  bomb('a name of 30,000 numbers', {
    weights: () => safetensors(`{"a.${'0.'.repeat(3e4)}w":${entry('F32', '1', 0, 4)}}`, 4),
  }),
  bomb('a name of terminal escapes', {
    weights: () => safetensors(`{"\\u001b[2J\\u0007":${entry('F32', '7', 0, 4)}}`, 4),
  }),
  bomb('config.json with a text of 60 MB', { config: () => `{"model_type":"x","a":"${'x'.repeat(6e7)}"}` }),
  bomb('config.json with a text of 10^7 line ends', { config: () => `{"model_type":"x","a":"${'\\n'.repeat(1e7)}"}` }),
  bomb('config.json nested 20,000 deep', { config: () => `{"model_type":"x","a":${nested(2e4)}}` }),
  bomb('config.json nested 10^6 deep', { config: () => `{"model_type":"x","a":${nested(1e6, '{"a":', '}', '1')}}` }),
  bomb('config.json of 5·10^6 numbers', { config: () => `{"model_type":"x","a":[${'1,'.repeat(5e6)}1]}` }),
  bomb('config.json that is a number', { config: '5' }),
  bomb('config.json that is empty', { config: '' }),
  bomb('config.json with a model_type of 1 MB', { config: () => ({ model_type: 'x'.repeat(1e6) }) }),
  bomb('num_hidden_layers 10^9', { config: { ...llama, num_hidden_layers: 1e9 } }),
  bomb('num_hidden_layers -1', { config: { ...llama, num_hidden_layers: -1 } }),
  bomb('num_hidden_layers "x"', { config: { ...llama, num_hidden_layers: 'x' } }),
  bomb('model_type __proto__', {
    config: '{"model_type":"__proto__","__proto__":{"num_hidden_layers":3},"constructor":1}',
  }),
  bomb('config.json is a pipe', { change: instead('config.json', fifo) }),
  bomb('weights are a pipe', { change: instead('model.safetensors', fifo) }),
  bomb('the index is a pipe', { change: instead('model.safetensors.index.json', fifo) }),
  bomb('weights are a folder', { change: instead('model.safetensors', mkdirSync) }),
  bomb('weights are a link to zeros without end', { change: instead('model.safetensors', zeros) }),
  bomb('config.json is a link to zeros without end', { change: instead('config.json', zeros) }),
  bomb('config.json is a folder', { change: instead('config.json', mkdirSync) }),
  bomb('tokenizer.json is a folder', {
    change: instead('tokenizer.json', mkdirSync),
    recipe: (folder) => `${copyOf(folder)}\ntokenizer_source: base`,
  }),
  bomb('tokenizer.json is a pipe', {
    change: instead('tokenizer.json', fifo),
    recipe: (folder) => `${copyOf(folder)}\ntokenizer_source: base`,
  }),
  bomb('an index that names a folder', {
    change(folder) {
      writeFileSync(join(folder, 'model.safetensors.index.json'), '{"weight_map":{"a":"sub"}}')
      mkdirSync(join(folder, 'sub'))
    },
  }),
  bomb('20,000 slices of 2 layers', {
    config: llama,
    recipe: (folder) =>
      `merge_method: passthrough\nslices: [${`{sources: [{model: ${folder}, layer_range: [0, 2]}]},`.repeat(2e4)}]`,
  }),
  bomb('100,000 slices', {
    config: llama,
    recipe: (folder) => `merge_method: passthrough\nslices: [${`{sources: [{model: ${folder}}]},`.repeat(1e5)}]`,
  }),
  bomb('100,000 slices by an alias', {
    config: llama,
    recipe: (folder) => `merge_method: passthrough\nslices: [&a {sources: [{model: ${folder}}]},${'*a,'.repeat(1e5)}]`,
  }),
  bomb('a slice of 2 layers, 25,000 times by its alias', {
    config: llama,
    recipe: (folder) =>
      `merge_method: passthrough\nslices: [&a {sources: [{model: ${folder}, layer_range: [0, 2]}]},${'*a,'.repeat(2.5e4)}]`,
  }),
  bomb('a gradient of 190,000 numbers', {
    config: llama,
    recipe: (folder) =>
      `merge_method: linear\nparameters: {weight: [${'1,'.repeat(1.9e5)}1]}\nmodels: [{model: ${folder}}]`,
  }),
  bomb('60,000 filters', {
    config: llama,
    recipe: (folder) =>
      `merge_method: linear\nparameters: {weight: [${'{filter: zz, value: 1},'.repeat(6e4)}{value: 1}]}\nmodels: [{model: ${folder}}]`,
  }),
  bomb('3,000 models, all the same folder by other names', {
    config: llama,
    recipe: (folder) =>
      `merge_method: linear\nparameters: {weight: 1}\nmodels: [${list(3000, (index) => `{model: ${folder}/${'./'.repeat(index)}}`)}]`,
  }),
]
