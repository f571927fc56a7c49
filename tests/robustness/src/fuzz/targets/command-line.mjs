import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { faultOfEnd, mergeCommand } from '../../merge-command.mjs'
import { runCommand } from '../../run-command.mjs'
import { headerBytes } from '../../write-checkpoint.mjs'
import { isPythonJson, promise } from '../broken-promise.mjs'
import {
  copyModel,
  goldenRecipes,
  modelFile,
  modelFolder,
  modelJson,
  replaceFile,
  splitSafetensors,
  withData,
} from '../golden-models.mjs'
import { mutateBytes } from '../mutate-bytes.mjs'
import { mutateDocument, mutateJson, stringify } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const copyOf = 'merge_method: passthrough\nmodels: [{model: m}]\n'
const union = `merge_method: linear\nparameters: {weight: 1}\nbase_model: BASE\nmodels: [{model: BASE}, {model: m}]\ntokenizer_source: union\n`
const oddOptions = [
  ...['1B', '1KB', '0', '-1', 'x', '1e400GB', '999999999999999999TB'].map((size) => ['--out-shard-size', size]),
  ...['0', '1', '1024', '1e3', 'x'].map((count) => ['--threads', count]),
  ...['-1', '9007199254740993', '1.5'].map((seed) => ['--random-seed', seed]),
  ...['', 'wasm', 'nope', '__proto__'].map((device) => ['--device', device]),
  ...['nope.mjs', 'm/config.json', '/dev/null'].map((file) => ['--method-module', file]),
  ['--transformers-cache', '/dev/null'],
  ['--dry-run', '--json'],
  ['--explain-tokens'],
]

/** Which file of which model is changed, and how. */
const kinds = {
  recipe: (random, recipes) => ({ recipe: mutateText(random, random.pick(recipes)) }),
  options: (random) => ({ model: 'llama-base', options: random.pick(oddOptions) }),
  config(random) {
    const model = random.pick(['llama-base', 'gpt2-base', 'bert-base', 'mixtral-base'])
    return { model, file: 'config.json', text: mutateDocument(random, modelJson(model, 'config.json'), mutateText) }
  },
  header(random) {
    const { header, dataBytes } = splitSafetensors(modelFile('llama-base', 'model.safetensors'))
    const bytes = withData(headerBytes(stringify(mutateJson(random, header))), dataBytes)
    return { model: 'llama-base', file: 'model.safetensors', bytes: bytes.toString('base64') }
  },
  pickle(random) {
    const bytes = mutateBytes(random, modelFile('pickle-base', 'pytorch_model.bin'))
    return { model: 'pickle-base', file: 'pytorch_model.bin', bytes: bytes.toString('base64') }
  },
  tokenizer(random) {
    const file = random.pick(['tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
    return {
      model: 'llama-chat',
      file,
      recipe: union,
      text: mutateDocument(random, modelJson('llama-chat', file), mutateText),
    }
  },
  index(random) {
    const file = 'model.safetensors.index.json'
    return { model: 'llama16-base', file, text: mutateDocument(random, modelJson('llama16-base', file), mutateText) }
  },
  adapter(random) {
    const file = 'adapter_config.json'
    const recipe = 'merge_method: passthrough\nmodels: [{model: BASE+m}]\n'
    return { model: 'lora-qvd', file, recipe, text: stringify(mutateJson(random, modelJson('lora-qvd', file))) }
  },
}

/** Whole merges as processes: statuses 0, 1 and 2, no stack traces, and nothing but OUT. */
export const commandLine = {
  name: 'command-line',
  extension: 'json',
  async open({ folder: work }) {
    const recipes = goldenRecipes()
    const folder = join(work, 'run')
    return {
      make: (random) =>
        JSON.stringify({
          ...kinds[random.pick(Object.keys(kinds))](random, recipes),
          out: random.pick(['out', 'out', 'deep/er/out', 'o u t', '-out-']),
        }),
      async check(bytes) {
        const { model, file, text, bytes: content, recipe = copyOf, options = [], out } = JSON.parse(bytes.toString())
        rmSync(folder, { recursive: true, force: true })
        mkdirSync(folder)
        if (model !== undefined) copyModel(model, join(folder, 'm'))
        if (file !== undefined) replaceFile(join(folder, 'm'), file, text ?? Buffer.from(content, 'base64'))
        writeFileSync(join(folder, 'r.yml'), recipe.replaceAll('BASE', modelFolder('llama-base')))
        const before = readdirSync(folder)
        const ended = await runCommand(mergeCommand('r.yml', out, options), {
          cwd: folder,
          timeoutMs: 20_000,
          env: { HF_HUB_OFFLINE: '1', HF_HOME: folder },
        })
        const fault = faultOfEnd(ended)
        promise(fault === undefined, `${fault}: ${ended.stderr.trim().slice(0, 200)}`)
        checkFolder({ folder, before, out, status: ended.status })
      },
    }
  },
}

function checkFolder({ folder, before, out, status }) {
  const fresh = readdirSync(folder).filter((name) => !before.includes(name))
  const top = out.split('/')[0]
  if (status !== 0)
    return promise(
      fresh.every((name) => name === 'deep'),
      `left after an error: ${fresh}`,
    )
  promise(
    fresh.every((name) => name === top),
    `written beside OUT: ${fresh}`,
  )
  if (!fresh.includes(top)) return
  for (const name of readdirSync(join(folder, out)))
    if (name.endsWith('.json'))
      promise(isPythonJson(readFileSync(join(folder, out, name), 'utf8')), `${name} was written and is no JSON`)
}
