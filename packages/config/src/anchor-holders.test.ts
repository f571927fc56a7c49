import { describe, expect, it } from 'vitest'
import { faultsOf } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

const models = (parameters: string) => `models: [{model: a, parameters: ${parameters}}]\nmerge_method: linear\n`
const weightOf = (text: string) =>
  parseConfig(text).config.modules[0]!.slices[0]!.sources[0]!.parameters.settings.get('weight')

describe('a key at the top that only holds anchors is let through', () => {
  it.each([
    ['a value', 'half: &half 0.5\n', '{weight: *half}'],
    ['a mapping that is merged', 'half: &half {weight: 0.5}\n', '{<<: *half}'],
    ['a list of them', 'numbers: [&half 0.5, &whole 1]\n', '{weight: *half}'],
    ['anchors at any depth', 'all: {deep: {deeper: &half 0.5}}\n', '{weight: *half}'],
    ['the same key twice', 'number: &half 0.5\nnumber: &whole 1\n', '{weight: *half}'],
    ['x-…', 'x-shared: &half 0.5\n', '{weight: *half}'],
    ['x-… without anchors', 'x-note: hello\n', '{weight: 0.5}'],
  ])('%s', (_, holder, parameters) => {
    expect(weightOf(holder + models(parameters))).toEqual({ kind: 'scalar', value: 0.5 })
    expect(parseConfig(holder + models(parameters)).warnings).toEqual([])
  })
})

it('an anchor that nothing refers to is a warning', () => {
  expect(parseConfig(`unused: &unused 0.5\n${models('{weight: 1}')}`).warnings).toEqual([
    `config:1:1: the key 'unused' sets nothing: no alias refers to its anchors`,
  ])
})

it('of several holders the one that nothing refers to is told', () => {
  const text = (used: string) =>
    `one: [&one 0.5]\ntwo: &two 0.5\nthree: {deep: &three 0.5}\n${models(`{weight: *${used}}`)}`
  const told = (used: string) => parseConfig(text(used)).warnings.map((warning) => /'(\w+)'/.exec(warning)![1])
  expect(told('one')).toEqual(['two', 'three'])
  expect(told('two')).toEqual(['one', 'three'])
  expect(told('three')).toEqual(['one', 'two'])
})

it('a holder that looks like a misspelled key is a warning', () => {
  expect(parseConfig(`dtpe: &type float16\n${models('{weight: 1}')}out_dtype: *type`).warnings).toEqual([
    `config:1:1: the key 'dtpe' only holds anchors; did you mean 'dtype'?`,
  ])
})

it('an unknown key without anchors stays an error, and so do known keys that are given twice', () => {
  expect(faultsOf(`half: 0.5\n${models('{weight: 1}')}`)).toEqual([expect.stringContaining(`unknown key 'half'`)])
  expect(faultsOf(`dtype: &a float16\n${models('{weight: 1}')}dtype: &b float32`)).toEqual([
    `config:4:1: not valid YAML: the key 'dtype' is given twice in one mapping`,
  ])
})
