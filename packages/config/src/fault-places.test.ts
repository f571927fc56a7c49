import { describe, expect, it } from 'vitest'
import { failureOf, faultsOf, withTop } from './__fixtures__/failures.ts'

const model = (text: string) => `merge_method: linear\nmodels: [{model: ${text}}]`
const parameter = (text: string) => `merge_method: linear\nmodels: [{model: a, parameters: {w: ${text}}}]`
const slice = (text: string) => `merge_method: linear\nslices: [{sources: [{model: a, ${text}}]}]`
const token = (source: string) => withTop(`tokenizer: {tokens: {a: {source: ${source}}}}`)

it.each([
  ['merge_method: [a]\nmodels: [{model: a}]', 'config:1:15: merge_method is a list'],
  [model('[a]'), 'config:2:18: models[0].model is a list'],
  [model('{model: {path: [a]}}'), 'config:2:33: models[0].model.model.path is a list'],
  [model('{model: {path: a, revision: [1]}}'), 'config:2:46: models[0].model.model.revision is a list'],
  [model('{model: a, lora: {path: [a]}}'), 'config:2:42: models[0].model.lora.path is a list'],
  [model('{model: a, lora: {path: a, revision: [1]}}'), 'models[0].model.lora.revision is a list'],
  [model('{base: [a], plus: [{model: b}]}'), 'config:2:25: models[0].model.base is a list'],
  [model('{base: a, plus: 7}'), 'config:2:34: models[0].model.plus is 7'],
  [model('{base: a, plus: [7]}'), 'config:2:35: models[0].model.plus[0] is 7'],
  [model('{base: a, plus: [{model: [b]}]}'), 'config:2:43: models[0].model.plus[0].model is a list'],
  [model('{base: a, plus: [{model: b, weight: x}]}'), `config:2:54: models[0].model.plus[0].weight is the text 'x'`],
  [parameter('[{filter: [a], value: 1}]'), 'config:2:47: models[0].parameters.w[0].filter is a list'],
  [parameter('[{filter: a, value: {a: 1}}]'), 'config:2:57: models[0].parameters.w[0].value is a mapping'],
  [parameter('[1, x]'), `config:2:41: models[0].parameters.w[1] is the text 'x'`],
  [slice('layer_range: [0, x]'), 'config:2:45: slices[0].sources[0].layer_range is [0, x]'],
  [slice('layer_range: 7'), 'config:2:45: slices[0].sources[0].layer_range is 7'],
  [slice('parameters: 7'), 'slices[0].sources[0].parameters is 7'],
  ['merge_method: linear\nslices: [{sources: 7}]', 'config:2:20: slices[0].sources is 7'],
  ['merge_method: linear\nslices: [7]', 'config:2:10: slices[0] is 7'],
  ['merge_method: linear\nslices: [{sources: [{model: a}], base_model: [b]}]', 'slices[0].base_model is a list'],
  ['merge_method: linear\nslices: [{sources: [{model: a}], parameters: 7}]', 'slices[0].parameters is 7'],
  ['merge_method: linear\nmodules: [7]', 'config:2:10: modules is a list'],
  ['merge_method: linear\nmodules: {a: 7}', 'config:2:14: modules.a is 7'],
  ['merge_method: linear\nmodules: {a: {models: [{model: [b]}]}}', 'modules.a.models[0].model is a list'],
  ['merge_method: linear\nmodules: {a: {models: [{model: b}], parameters: 7}}', 'modules.a.parameters is 7'],
  [withTop('base_model: [a]'), 'config:3:13: base_model is a list'],
  [withTop('dtype: 7'), 'config:3:8: dtype is 7'],
  [withTop('out_dtype: [a]'), 'config:3:12: out_dtype is a list'],
  [withTop('chat_template: [a]'), 'config:3:16: chat_template is a list'],
  [withTop('parameters: 7'), 'config:3:13: parameters is 7'],
  [withTop('input_model_parameters: 7'), 'config:3:25: input_model_parameters is 7'],
  [withTop('input_model_parameters: {a: 7}'), 'config:3:29: input_model_parameters.a is 7'],
  [withTop('input_model_parameters: {a: {w: [x,1]}}'), `input_model_parameters.a.w[0] is the text 'x'`],
  [withTop('tokenizer_source: [a]'), 'config:3:19: tokenizer_source is a list'],
  [withTop('tokenizer: {source: [a]}'), 'config:3:21: tokenizer.source is a list'],
  [token('[x]'), 'config:3:34: tokenizer.tokens.a.source is a list'],
  [token('{kind: 7}'), 'config:3:41: tokenizer.tokens.a.source.kind is 7'],
  [token('{kind: [a]}'), 'config:3:41: tokenizer.tokens.a.source.kind is a list'],
  [token('{kind: zeros}'), 'config:3:41: tokenizer.tokens.a.source.kind is the text'],
  [token('{kind: zero, x: 1}'), `config:3:47: unknown key 'x' in tokenizer.tokens.a.source `],
  [token('{model: [m]}'), 'config:3:42: tokenizer.tokens.a.source.model is a list'],
  [token('{kind: model_token, model: [m], token: b}'), 'tokenizer.tokens.a.source.model is a list'],
  [token('{kind: model_token, model: m, token: [b]}'), 'tokenizer.tokens.a.source.token is a list'],
  [token('{kind: model_token, model: m, token_id: b}'), 'tokenizer.tokens.a.source.token_id is the text'],
])('%j is told with its place', (text, place) => {
  expect(faultsOf(text)).toEqual([expect.stringContaining(place)])
})

describe('many faults', () => {
  const listOf = (count: number, keyOf: (index: number) => string) =>
    withTop(Array.from({ length: count }, (_, index) => `${keyOf(index)}: 1`).join('\n'))
  const long = (index: number) => `key_${index}_${'x'.repeat(200)}`
  const short = (index: number) => `zz${index}zz`

  it('up to twenty are all told', () => {
    expect(faultsOf(listOf(20, short))).toHaveLength(20)
    expect(faultsOf(listOf(20, short)).at(-1)).toContain(`'zz19zz'`)
  })

  it('of more the first ones, and how many are left', () => {
    const faults = faultsOf(listOf(21, short))
    expect(faults).toHaveLength(21)
    expect(faults.slice(-2)).toEqual([expect.stringContaining(`'zz19zz'`), 'and 1 more'])
    expect(faultsOf(listOf(30, short)).at(-1)).toBe('and 10 more')
    expect(failureOf(listOf(30, short)).issues).toHaveLength(30)
  })

  it('a few are told whole, the others of many in 150 letters', () => {
    const lengths = (count: number) => faultsOf(listOf(count, long)).map(({ length }) => length)
    expect(Math.min(...lengths(6))).toBeGreaterThan(200)
    expect(lengths(7)).toEqual([expect.any(Number), ...Array<number>(6).fill(151)])
    expect(lengths(7)[0]).toBeGreaterThan(200)
  })

  it('of 150 letters is not cut', () => {
    const ofLength = (length: number): string => {
      const faults = (key: string) =>
        faultsOf(
          withTop(`parameters: {${['a', key, 'c', 'd', 'e', 'f', 'g'].map((each) => `${each}: {x: 1}`).join()}}`),
        )
      return faults('b'.repeat(length + 1 - faults('b')[1]!.length))[1]!
    }
    expect(ofLength(150)).toMatch(/^[^…]{150}$/)
    expect(ofLength(151)).toMatch(/^[^…]{150}…$/)
  })
})
