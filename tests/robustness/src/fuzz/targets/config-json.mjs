import { join } from 'node:path'
import { prepareMerge } from '@mk/merge'
import { builtinMethods } from '@mk/methods'
import { isPythonJson, promise } from '../broken-promise.mjs'
import { copyModel, modelFile, replaceFile } from '../golden-models.mjs'
import { mutateDocument } from '../mutate-json.mjs'
import { mutateText } from '../mutate-text.mjs'

const models = [
  'llama-base',
  'gpt2-base',
  'bert-base',
  'mixtral-base',
  'gemma2-base',
  'qwen-base',
  'phi3-base',
  'neox-base',
]

const recipes = {
  copy: ({ folder }) => `merge_method: passthrough\nmodels: [{model: ${folder}}]`,
  stack: ({ folder, layers }) =>
    `merge_method: passthrough\ndtype: float16\nslices: [{sources: [{model: ${folder}, layer_range: [0, ${layers}]}]}, ` +
    `{sources: [{model: ${folder}, layer_range: [1, ${layers}]}]}]`,
  average: ({ folder }) =>
    `merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: ${folder}}, {model: ${folder}}]\ntokenizer_source: base\nbase_model: ${folder}`,
}

/** config.json of several families, planned: what would be written is JSON. */
export const configJson = {
  name: 'config-json',
  extension: 'json',
  async open({ folder }) {
    const texts = new Map(models.map((name) => [name, modelFile(name, 'config.json').toString()]))
    for (const name of models) copyModel(name, join(folder, name))
    return {
      make(random) {
        const model = random.pick(models)
        const text = mutateDocument(random, JSON.parse(texts.get(model)), mutateText)
        return JSON.stringify({ model, recipe: random.pick(Object.keys(recipes)), text })
      },
      async check(bytes) {
        const { model, recipe, text } = JSON.parse(bytes.toString())
        const { num_hidden_layers, n_layer } = JSON.parse(texts.get(model))
        replaceFile(join(folder, model), 'config.json', text)
        const yaml = recipes[recipe]({ folder: join(folder, model), layers: num_hidden_layers ?? n_layer ?? 2 })
        const { plan } = await prepareMerge({ text: yaml, methods: builtinMethods })
        for (const { name, text: written } of plan.documents)
          if (name.endsWith('.json')) promise(isPythonJson(written), `${name} would be written and is no JSON`)
      },
    }
  },
}
