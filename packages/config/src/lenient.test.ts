import { expect, it } from 'vitest'
import { parseConfig } from './parse-config.ts'

const lenient = (text: string) => parseConfig(text, { file: 'r.yml', lenient: true })

it('ignores unknown keys at every level, and says which and where', () => {
  const { config, warnings } = lenient(`merge_method: linear
normalize: true
slices:
  - sources:
      - model: {model: {path: a, cache: x}, quant: 4}
        layer_range: [0, 2]
        revision: v1
    wieght: 1
tokenizer: {source: base, pad: 1}
modulse: {}
`)
  expect(config.modules[0]!.slices[0]!.sources[0]!.model.path).toBe('a')
  expect(warnings.map((line) => line.replace(/ is ignored, as mergekit does.*/, '')).toSorted()).toEqual([
    `r.yml:10:1: unknown key 'modulse' in the config`,
    `r.yml:2:1: unknown key 'normalize' in the config`,
    `r.yml:5:34: unknown key 'cache' in slices[0].sources[0].model.model`,
    `r.yml:5:45: unknown key 'quant' in slices[0].sources[0].model`,
    `r.yml:7:9: unknown key 'revision' in slices[0].sources[0]`,
    `r.yml:8:5: unknown key 'wieght' in slices[0]`,
    `r.yml:9:27: unknown key 'pad' in tokenizer`,
  ])
  expect(warnings.find((line) => line.includes('modulse'))).toContain(`did you mean 'modules'?`)
})

it('takes the last of keys that are the same, and says so', () => {
  const { config, warnings } = lenient('merge_method: linear\nmodels: [{model: a}]\ndtype: float32\ndtype: float16\n')
  expect(config.dtype).toBe('float16')
  expect(warnings).toEqual([`r.yml:4:1: the key 'dtype' is given twice; the last holds, as in mergekit`])
})

it('tells of keys given twice inside of what another replaces', () => {
  const { warnings } = lenient('merge_method: linear\nmodels: [{model: a, model: b}]\nmodels: [{model: c}]\n')
  expect(warnings.map((line) => line.slice(0, 8)).toSorted()).toEqual(['r.yml:2:', 'r.yml:3:'])
})

it.each([
  ['a wrong value', 'dtype: bf16'],
  ['a missing value', 'parameters: {weight: }'],
  ['several that exclude one another', 'slices: [{sources: [{model: a}]}]'],
])('excuses nothing else: %s', (_, line) => {
  expect(() => lenient(`merge_method: linear\nmodels: [{model: a}]\n${line}`)).toThrow(/r\.yml:3/)
})

it('does not excuse a recipe of another command', () => {
  expect(() => lenient('layer_slices: []')).toThrow(`for the command 'bakllama'`)
})

it('names the whole place of parameters of a model that nothing merges', () => {
  const { warnings } = lenient('merge_method: linear\nmodels: [{model: a}]\ninput_model_parameters: {b: {weight: 1}}\n')
  expect(warnings.join('\n')).toContain('input_model_parameters')
})
