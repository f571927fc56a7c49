import { expect, it } from 'vitest'
import { matchesSchema, withTop } from '../__fixtures__/failures.ts'
import { parseConfig } from '../parse-config.ts'
import { configSchema } from './config-schema.ts'

const model = (text: string) => `merge_method: linear\nmodels: [{model: ${text}}]`
const token = (text: string) => withTop(`tokenizer: {tokens: {t: ${text}}}`)

it.each([
  'merge_method: m\nmodels: [{model: a}]\nbase_model: b\nchat_template: c',
  'merge_method: m\nslices: [{sources: [{model: a, layer_range: [0, 0]}], base_model: b, parameters: {w: 1}}]',
  'merge_method: m\nmodules: {x: {models: [{model: a}], parameters: {w: 1}}, y: {slices: [{sources: [{model: a}]}]}}',
  model('7'),
  model('{model: {path: p, revision: r}}'),
  model('{model: p, lora: l}'),
  model('{model: p, lora: [l, {path: m}], override_architecture: o}'),
  withTop('parameters: {w: 1, x: [0, 1], y: [{filter: f, value: 1}, {value: [0, 1]}], z: yes}'),
  withTop('parameters: {w: [{value: 1}]}'),
  'merge_method: [{value: m}]\nmodels: [{model: a}]',
  'merge_method: {value: m}\nmodels: [{model: a}]',
  'merge_method: m\nslices: [{sources: [{model: a}], merge_method: [{filter: x, value: n}]}]',
  withTop('input_model_parameters: {a: {w: 1}}'),
  ...['float64', 'float32', 'float16', 'bfloat16', 'float8_e4m3fn', 'float8_e5m2'].flatMap((dtype) => [
    withTop(`dtype: ${dtype}`),
    withTop(`out_dtype: ${dtype}`),
  ]),
  withTop('missing: base'),
  withTop('missing: skip'),
  withTop('missing: others'),
  withTop('name: n'),
  withTop('random_seed: 1'),
  'merge_method: m\nslices: [{sources: [{model: a}], residual_weight: 1}]',
  ...['base', 'union', 'model:a', '{model: a}'].map((source) => withTop(`tokenizer_source: ${source}`)),
  withTop('tokenizer: {source: union, pad_to_multiple_of: 1}'),
  token('{source: m, force: true}'),
  token('{source: {kind: zero}, force: off}'),
  token('{source: {kind: model_token, model: m, token: t}}'),
  token('{source: {kind: model_token, model: m, token_id: 0}}'),
  token('{}'),
  token(''),
])('the JSON Schema accepts what is accepted: %j', (text) => {
  const { document } = parseConfig(text)
  expect([matchesSchema(document), matchesSchema.errors]).toEqual([true, null])
})

it('the JSON Schema offers the words that are no models', () => {
  expect(configSchema().definitions).toMatchObject({
    tokenizerSource: { anyOf: [{ enum: ['base', 'union'] }, {}] },
    outDtype: { anyOf: [{}, { enum: ['q8_0', 'q4_0'] }] },
  })
})
