import {
  describeCheckpoint,
  embeddingNames,
  findPeriodicSettings,
  headNames,
  isTied,
  nameInLayer,
  reviseConfig,
} from '@mk/architecture'
import { promise } from '../broken-promise.mjs'
import { modelFile, modelJson, splitSafetensors } from '../golden-models.mjs'
import { mutateJson, oddText, oddValue } from '../mutate-json.mjs'

const models = ['llama-base', 'gpt2-base', 'bert-base', 'mixtral-base', 'gemma2-base', 'neox-base']
const oddSegments = ['0', '1', '99999', '999999', '1000000', '-1', '01', 'experts', 'layers']

/** Names and shapes of tensors with a config: every tensor has its place, and its name again from there. */
export const architectures = {
  name: 'architectures',
  extension: 'json',
  async open() {
    const bases = models.map((name) => ({
      config: modelJson(name, 'config.json'),
      tensors: Object.entries(splitSafetensors(modelFile(name, 'model.safetensors')).header)
        .filter(([tensor]) => tensor !== '__metadata__')
        .map(([tensor, { shape }]) => ({ name: tensor, shape })),
    }))
    return {
      make(random) {
        const base = random.pick(bases)
        const config = random.chance(0.1) ? oddValue(random) : mutateJson(random, base.config)
        return JSON.stringify({ config, tensors: mutateTensors(random, base.tensors), tied: random.chance(0.5) })
      },
      check(bytes) {
        const { config, tensors, tied } = JSON.parse(bytes.toString())
        const isObject = typeof config === 'object' && config !== null && !Array.isArray(config)
        const layout = describeCheckpoint(tensors, isObject ? config : undefined)
        const count = layout.modules.reduce((sum, module) => sum + module.tensors.length, 0)
        promise(count === tensors.length, `of ${tensors.length} tensors ${count} have a place`)
        embeddingNames(layout)
        headNames(layout)
        for (const { name, template, layer } of layout.modules.flatMap((module) => module.tensors))
          promise(layer === undefined || nameInLayer(template, layer) === name, 'a template gives another name')
        if (isObject) revise(config, layout, tied)
      },
    }
  },
}

function revise(config, layout, tied) {
  isTied(config)
  const layers = layout.modules.map((module) => ({
    module,
    sourceLayers: Array.from({ length: Math.min(module.layerCount, 1000) }, (_, index) => index).concat(
      module.layerCount > 0 ? [0] : [],
    ),
  }))
  findPeriodicSettings(config, layers)
  reviseConfig(config, { layers, tied, vocabularySize: 7, dtype: 'bfloat16' })
}

function mutateTensors(random, tensors) {
  let list = tensors.map((tensor) => ({ ...tensor }))
  for (let count = random.below(6); count > 0 && list.length > 0; count--) {
    const at = random.below(list.length)
    const segments = list[at].name.split('.')
    switch (random.pick(['remove', 'add', 'segment', 'shape', 'nest', 'prefix'])) {
      case 'remove':
        list.splice(at, 1)
        break
      case 'add':
        list.push({ name: oddText(random), shape: [random.below(5)] })
        break
      case 'segment':
        segments[random.below(segments.length)] = random.pick([...oddSegments, oddText(random)])
        list[at] = { ...list[at], name: segments.join('.') }
        break
      case 'shape':
        list[at] = { ...list[at], shape: random.pick([[], [0], [1, 2, 3, 4, 5, 6], [2 ** 40, 2 ** 40]]) }
        break
      case 'nest':
        list.push({ name: `${list[at].name}.${list[at].name}`, shape: [2, 2] })
        break
      case 'prefix':
        list = list.map((tensor) => ({
          ...tensor,
          name: random.pick(['', 'a.', 'model.', 'x.0.', 'encoder.']) + tensor.name,
        }))
        break
    }
  }
  return list
}
