import { expect, it } from 'vitest'
import { listReferences, listSummands } from './list-references.ts'
import { parseConfig } from './parse-config.ts'

const referencesIn = (text: string) =>
  listReferences(parseConfig(text).config).map(({ reference, path }) => [reference.path, path.join('.')])

it('models are listed in the order of the YAML, each with the path where it is named', () => {
  const text = `merge_method: m
slices:
- sources: [{model: a}, {model: b}]
  base_model: c
- sources: [{model: d}]
base_model: e
tokenizer:
  source: {model: f}
  tokens:
    t: {source: g}
    u: {source: {kind: zero}}
    v: {source: {kind: model_token, model: h, token: x}}
    w: {force: true}`
  expect(referencesIn(text)).toEqual([
    ['e', 'base_model'],
    ['a', 'slices.0.sources.0.model'],
    ['b', 'slices.0.sources.1.model'],
    ['c', 'slices.0.base_model'],
    ['d', 'slices.1.sources.0.model'],
    ['f', 'tokenizer.source'],
    ['g', 'tokenizer.tokens.t.source'],
    ['h', 'tokenizer.tokens.v.source'],
  ])
})

it('the model of a tokenizer_source is listed there, and no word for others', () => {
  const withSource = (source: string) =>
    referencesIn(`merge_method: m\nmodels: [{model: a}]\ntokenizer_source: ${source}`)
  expect(withSource('model:b')).toEqual([
    ['a', 'models.0.model'],
    ['b', 'tokenizer_source'],
  ])
  for (const word of ['base', 'union']) expect(withSource(word)).toEqual([['a', 'models.0.model']])
})

it('summands are listed with their paths, those of sums within sums among them', () => {
  const model = '{base: a, plus: [{model: b}, {model: {base: c, plus: [{model: d}]}}]}'
  const [sum] = listReferences(parseConfig(`merge_method: m\nmodels: [{model: ${model}}]`).config)
  expect(listSummands(sum!).map(({ reference, path }) => [reference.path, path.join('.')])).toEqual([
    ['a', 'models.0.model.base'],
    ['b', 'models.0.model.plus.0.model'],
    ['c', 'models.0.model.plus.1.model.base'],
    ['d', 'models.0.model.plus.1.model.plus.0.model'],
  ])
})
