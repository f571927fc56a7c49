import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { matchesSchema, withTop } from '../__fixtures__/failures.ts'
import { parseConfig, readConfig } from '../parse-config.ts'
import { configSchema } from './config-schema.ts'
import { booleanSchema, when } from './shapes.ts'

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

describe('a schema that knows methods', () => {
  const isOwn = { required: ['merge_method'], properties: { merge_method: { type: 'string', pattern: '^[.]/' } } }
  const needsBase = { required: ['merge_method'], properties: { merge_method: { const: 'ties' } } }
  const schema = configSchema({
    mergeMethod: { type: 'string', pattern: '^(linear|ties|[.]/.*)$' },
    parameters: {
      weight: { type: 'number', minimum: 0, description: 'How much.' },
      rank: { type: 'integer' },
      word: { enum: ['a', 'b'] },
      flag: booleanSchema,
    },
    hasOwnParameters: isOwn,
    rules: [when(needsBase, { required: ['base_model'] })],
  })
  const matches = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(schema)
  const isAccepted = (text: string) => matches(readConfig(text).document)
  /** Every place in which a recipe has parameters. */
  const places = (method: string, parameters: string) => {
    const source = `{model: a, parameters: ${parameters}}`
    return [
      `models: [{model: a}], parameters: ${parameters}`,
      `models: [${source}]`,
      `slices: [{sources: [${source}]}]`,
      `slices: [{sources: [{model: a}], parameters: ${parameters}}]`,
      `modules: {x: {models: [${source}]}}`,
      `modules: {x: {models: [{model: a}], parameters: ${parameters}}}`,
      `modules: {x: {slices: [{sources: [${source}]}]}}`,
      `modules: {x: {slices: [{sources: [{model: a}], parameters: ${parameters}}]}}`,
      `models: [{model: a}], input_model_parameters: {a: ${parameters}}`,
    ].map((rest) => `{merge_method: ${method}, ${rest}}`)
  }

  it.each(
    ['{weight: 1}', '{weight: [0, 1], rank: [1]}', '{word: a, flag: yes}', '{}'].flatMap((one) =>
      places('linear', one),
    ),
  )('accepts %s', (text) => {
    expect(isAccepted(text)).toBe(true)
  })

  it.each(['{weight: {value: 1}}', '{weight: [{filter: x, value: [0, 1]}, {value: 1}], flag: [{value: no}]}'])(
    'accepts %s',
    (parameters) => {
      for (const text of places('linear', parameters)) expect([text, isAccepted(text)]).toEqual([text, true])
    },
  )

  it.each([
    '{other: 1}',
    '{weight: }',
    '{weight: -1}',
    '{weight: text}',
    '{weight: []}',
    '{weight: [-1]}',
    '{weight: [[1]]}',
    '{weight: [{value: 1, more: 1}]}',
    '{weight: [{filter: x}]}',
    '{weight: [{value: -1}]}',
    '{rank: [0.5]}',
    '{word: c}',
    '{word: [a]}',
    '{flag: [true]}',
    '{flag: 1}',
  ])('refuses %s wherever it stands', (parameters) => {
    for (const text of places('linear', parameters)) expect([text, isAccepted(text)]).toEqual([text, false])
  })

  it('lets parameters of own methods have any name, and nothing else', () => {
    for (const text of places('./own.mjs', '{other: 1, weight: -1}'))
      expect([text, isAccepted(text)]).toEqual([text, true])
    for (const text of places('./own.mjs', '{other: {more: 1}}'))
      expect([text, isAccepted(text)]).toEqual([text, false])
    for (const text of ['models: []', 'models: [{model: a, more: 1}]', 'slices: [{}]', 'models: [{model: a}], more: 1'])
      expect([text, isAccepted(`{merge_method: ./own.mjs, ${text}}`)]).toEqual([text, false])
  })

  it('takes the names of methods and what they need from who knows them', () => {
    expect(isAccepted('{merge_method: unknown, models: [{model: a}]}')).toBe(false)
    expect(isAccepted('{merge_method: ties, models: [{model: a}]}')).toBe(false)
    expect(isAccepted('{merge_method: ties, models: [{model: a}], base_model: b}')).toBe(true)
  })

  it('allows keys that only hold anchors where their names say so', () => {
    expect(isAccepted('{x-anchors: {a: 1}, merge_method: linear, models: [{model: a}]}')).toBe(true)
    expect(isAccepted('{anchors: {a: 1}, merge_method: linear, models: [{model: a}]}')).toBe(false)
  })

  it('says what stands where, for editors', () => {
    const { definitions, properties, title } = schema as unknown as {
      readonly [name in 'definitions' | 'properties' | 'title']: object
    }
    expect(title).toMatch(/recipe/)
    expect(Object.keys(properties)[0]).toBe('merge_method')
    expect(definitions).toMatchObject({
      parameters: { properties: { weight: { description: 'How much.' } } },
      slice: { properties: { residual_weight: { description: expect.stringMatching(/^Ignored: mergekit accepts/) } } },
    })
  })
})
