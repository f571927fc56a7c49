import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { copyModel } from '../fuzz/golden-models.mjs'

/** What may stand where a file is expected. */
const kinds = {
  'a pipe': (path) => spawnSync('mkfifo', [path]),
  'a folder': (path) => mkdirSync(path),
  'a link to zeros without end': (path) => symlinkSync('/dev/zero', path),
  'a link to nowhere': (path) => symlinkSync('nowhere', path),
  'a link to itself': (path) => symlinkSync(path, path),
}

/** Models whose files are read, and the recipe that reads them all. */
const models = {
  'llama-chat': {
    recipe: (folder) =>
      `merge_method: linear\nparameters: {weight: 1}\nbase_model: ${folder}\nmodels: [{model: ${folder}}, {model: ${folder}/.}]\ntokenizer_source: union\nchat_template: auto`,
    files: [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'added_tokens.json',
      'tokenizer.model',
      'chat_template.jinja',
      'chat_template.json',
      'preprocessor_config.json',
      'words.txt',
      'README.md',
    ],
  },
  'llama16-base': { files: ['model.safetensors.index.json', 'model-00002-of-00004.safetensors'] },
  'pickle-base': { files: ['pytorch_model.bin'] },
  'lora-qvd': {
    recipe: (folder) => `merge_method: passthrough\nmodels: [{model: ${folder}/../base+${folder}}]`,
    files: ['adapter_config.json', 'adapter_model.safetensors', 'adapter_model.bin'],
    prepare: (folder) => copyModel('llama-base', join(dirname(folder), 'base')),
  },
}

const passthrough = (folder) => `merge_method: passthrough\nmodels: [{model: ${folder}}]`

/** Each file of a model that may be read, as something that is no file. @type {readonly import('./run-bomb.mjs').Bomb[]} */
export const fileBombs = Object.entries(models).flatMap(([model, { files, recipe = passthrough, prepare }]) =>
  files.flatMap((file) =>
    Object.entries(kinds).map(([kind, put]) => ({
      name: `file: ${file} of ${model} is ${kind}`,
      kind: 'model',
      recipe,
      make(folder) {
        copyModel(model, folder)
        prepare?.(folder)
        if (file === 'adapter_model.bin') rmSync(join(folder, 'adapter_model.safetensors'))
        writeFileSync(join(folder, 'other.txt'), '')
        rmSync(join(folder, file), { force: true })
        put(join(folder, file))
      },
    })),
  ),
)
