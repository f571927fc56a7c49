import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matchesSchema } from './__fixtures__/failures.ts'
import { formatConfig, formatConfigs, modelReferenceToPlain } from './__fixtures__/format-config.mjs'
import type {
  ConfigPath,
  MergeConfig,
  MethodChoice,
  ModelReference,
  ModuleConfig,
  ParameterSetting,
  SliceConfig,
} from './merge-config.ts'
import { parseModelReference, referenceToSum } from './model-reference.ts'
import { parseConfig } from './parse-config.ts'
import { readRecipes } from './read-recipes.ts'

it('writes the YAML that a person would', () => {
  const text = `merge_method: slerp
base_model: models/a
slices:
  - sources:
      - model: models/a
        layer_range: [0, 4]
      - model: models/b+models/lora
        layer_range: [0, 4]
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 1]
    - value: 0.5
dtype: bfloat16
tokenizer_source: union
`
  expect(formatConfig(parseConfig(text).config)).toBe(text)
})

describe('every golden case survives', () => {
  const cases = new URL('../../../goldens/cases/', import.meta.url)
  const files = readdirSync(cases)
    .filter((name) => !name.startsWith('bakllama'))
    .map((name) => new URL(`${name}/config.yml`, cases))
    .filter((file) => existsSync(file))

  it.each(files.map((file) => [file.pathname.split('/').at(-2)!, file] as const))('%s', (_, file) => {
    const configsOf = (text: string) => readRecipes(text).recipes.map(({ config }) => config!)
    const configs = configsOf(readFileSync(file, 'utf8'))
    expect(configsOf(formatConfigs(configs))).toEqual(configs)
  })
})

it('any config survives', () => {
  fc.assert(
    fc.property(config, (original) => {
      const { config: read, warnings, document } = parseConfig(formatConfig(original))
      expect(read).toEqual(original)
      expect(warnings).toEqual([])
      expect([matchesSchema(document), matchesSchema.errors]).toEqual([true, null])
    }),
    { numRuns: 60 },
  )
})

it('recipes of one file survive', () => {
  const [first, second] = fc.sample(config, { numRuns: 2, seed: 1 }) as [MergeConfig, MergeConfig]
  const { recipes, issues } = readRecipes(formatConfigs([{ name: 'first', ...first }, second]))
  expect(recipes.map(({ config: read }) => read)).toEqual([{ name: 'first', ...first }, second])
  expect(issues).toEqual([])
})

it('any reference survives the way to plain data and back', () => {
  const part = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '')
  const repository = fc.record({ path: part, revision: part }, { requiredKeys: ['path'] })
  const reference = fc.tuple(repository, fc.array(repository, { maxLength: 3 }), fc.option(part, { nil: undefined }))
  fc.assert(
    fc.property(reference, ([model, adapters, architecture]) => {
      const whole = { ...model, adapters, ...(architecture !== undefined && { overrideArchitecture: architecture }) }
      expect(parseModelReference(modelReferenceToPlain(whole))).toEqual(whole)
    }),
  )
})

const word = fc
  .oneof(
    fc.stringMatching(/^[\w./\\:@+ #-]{1,12}$/),
    fc.constantFrom(
      'yes',
      'NO',
      'null',
      '1e5',
      '007',
      'base',
      'union',
      'model:x',
      '~',
      'true',
      'zero',
      '<<',
      '__proto__',
      'a: b',
      '- a',
    ),
    fc.string({ minLength: 1, maxLength: 8 }),
  )
  .filter((text) => text.trim() !== '')
const number = fc
  .oneof(fc.integer({ min: -1000, max: 1000 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((value) => value + 0 || 0)
const isNumeric = (text: string) => text.trim() !== '' && Number.isFinite(Number(text))
const scalar: fc.Arbitrary<ParameterSetting> = fc
  .oneof(
    number,
    fc.boolean(),
    word.filter((text) => !isNumeric(text)),
  )
  .map((value) => ({ kind: 'scalar', value }))
const gradient: fc.Arbitrary<ParameterSetting> = fc
  .array(number, { minLength: 1, maxLength: 4 })
  .map((values) => ({ kind: 'gradient', values }))
/** What is not `*`, after which nothing else is looked at. */
const filter = word.filter((text) => text !== '*')
const choices = fc.array(fc.record({ filter, value: fc.oneof(scalar, gradient) }), { maxLength: 3 })
const filtered: fc.Arbitrary<ParameterSetting> = fc
  .tuple(choices, fc.oneof(scalar, gradient))
  .map(([some, last]) => ({ kind: 'filtered', choices: [...some, { filter: undefined, value: last }] }))
const settings = fc
  .array(fc.tuple(word, fc.oneof(scalar, gradient, filtered)), { maxLength: 3 })
  .map((entries) => new Map(entries))

const repository = fc.record({ path: word, revision: word }, { requiredKeys: ['path'] })
const single: fc.Arbitrary<ModelReference> = fc
  .tuple(repository, fc.array(repository, { maxLength: 2 }), fc.option(word, { nil: undefined }))
  .map(([model, adapters, overrideArchitecture]) => ({
    ...model,
    adapters,
    ...(overrideArchitecture !== undefined && { overrideArchitecture }),
  }))
const sumOf = (model: fc.Arbitrary<ModelReference>) =>
  fc
    .record({ base: model, plus: fc.array(fc.record({ model, weight: number }), { minLength: 1, maxLength: 3 }) })
    .map(referenceToSum)
const reference = fc.oneof(
  { weight: 6, arbitrary: single },
  { weight: 1, arbitrary: sumOf(fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: sumOf(single) })) },
)
const range = fc
  .tuple(fc.nat(50), fc.integer({ min: 1, max: 50 }))
  .map(([start, length]) => [start, start + length] as const)
const source = fc.record({ model: reference, layerRange: range, settings }, { requiredKeys: ['model', 'settings'] })
const methodDrafts = fc
  .tuple(fc.array(fc.record({ filter, method: word }), { maxLength: 2 }), word)
  .map(([some, method]) => [...some, { filter: undefined as string | undefined, method }])
const slice = fc.record(
  { sources: fc.array(source, { minLength: 1, maxLength: 3 }), baseModel: reference, settings, methods: methodDrafts },
  { requiredKeys: ['sources', 'settings'] },
)

type Drafted<A> = A extends fc.Arbitrary<infer T> ? T : never

const parametersAt = (path: ConfigPath, map: ReadonlyMap<string, ParameterSetting>) => ({
  path: [...path, 'parameters'],
  settings: map,
})
const sourceAt = ({ settings: map, ...rest }: Drafted<typeof source>, path: ConfigPath) => ({
  ...rest,
  parameters: parametersAt(path, map),
  path,
})
/** Names of methods by filter, at a path. */
const methodsAt = (drafts: Drafted<typeof methodDrafts>, path: ConfigPath): readonly MethodChoice[] =>
  drafts.length === 1 && drafts[0]!.filter === undefined
    ? [{ ...drafts[0]!, path }]
    : drafts.map((draft, index) => ({ ...draft, path: [...path, index, 'value'] }))

const sliceAt = (
  { sources, settings: map, methods, ...rest }: Drafted<typeof slice>,
  path: ConfigPath,
): SliceConfig => ({
  ...rest,
  ...(methods !== undefined && { mergeMethod: methodsAt(methods, [...path, 'merge_method']) }),
  sources: sources.map((drafted, i) => sourceAt(drafted, [...path, 'sources', i])),
  parameters: parametersAt(path, map),
  path,
})

function moduleAt(name: string | undefined, draft: Drafted<typeof moduleDraft>, path: ConfigPath): ModuleConfig {
  const parameters = parametersAt(path, name === undefined ? new Map() : draft.settings)
  const own = name !== undefined && draft.methods !== undefined
  const method = own ? { mergeMethod: methodsAt(draft.methods!, [...path, 'merge_method']) } : {}
  if (draft.slices !== undefined)
    return {
      name,
      ...method,
      from: 'slices',
      path,
      parameters,
      slices: draft.slices.map((drafted, i) => sliceAt(drafted, [...path, 'slices', i])),
    }
  const modelsPath = [...path, 'models']
  const sources = draft.models!.map(({ model, settings: map }, i) =>
    sourceAt({ model, settings: map }, [...modelsPath, i]),
  )
  return {
    name,
    ...method,
    from: 'models',
    path,
    parameters,
    slices: [{ sources, parameters: { path: modelsPath, settings: new Map() }, path: modelsPath }],
  }
}

const moduleDraft = fc.oneof(
  fc.record({
    slices: fc.array(slice, { minLength: 1, maxLength: 3 }),
    models: fc.constant(undefined),
    settings,
    methods: fc.option(methodDrafts, { nil: undefined }),
  }),
  fc.record({
    slices: fc.constant(undefined),
    models: fc.array(source, { minLength: 1, maxLength: 3 }),
    settings,
    methods: fc.option(methodDrafts, { nil: undefined }),
  }),
)
const modules = fc.oneof(
  moduleDraft.map((draft) => [moduleAt(undefined, draft, [])]),
  fc
    .uniqueArray(fc.tuple(word, moduleDraft), { minLength: 1, maxLength: 3, selector: ([name]) => name })
    .map((drafts) => drafts.map(([name, draft]) => moduleAt(name, draft, ['modules', name]))),
)

const tokenizerSource = fc.oneof(
  fc.constantFrom({ kind: 'base' as const }, { kind: 'union' as const }),
  reference.map((model) => ({ kind: 'model' as const, model })),
)
const embedding = fc.oneof(
  fc.constant({ kind: 'zero' as const }),
  reference.map((model) => ({ kind: 'model' as const, model })),
  fc.record({ kind: fc.constant('model_token' as const), model: reference, token: word }),
  fc.record({ kind: fc.constant('model_token' as const), model: reference, tokenId: fc.nat() }),
)
const token = fc
  .record({ token: word, source: embedding, force: fc.boolean() }, { requiredKeys: ['token', 'force'] })
  .map((draft) => ({ ...draft, path: ['tokenizer', 'tokens', draft.token] }))
const tokenizer = fc.oneof(
  fc.record({ kind: fc.constant('average-rows' as const), source: tokenizerSource }),
  fc.record(
    {
      kind: fc.constant('complete-rows' as const),
      source: tokenizerSource,
      tokens: fc.uniqueArray(token, { maxLength: 3, selector: (drafted) => drafted.token }),
      padToMultipleOf: fc.integer({ min: 1, max: 512 }),
    },
    { requiredKeys: ['kind', 'source', 'tokens'] },
  ),
)
const dtype = fc.constantFrom('float64' as const, 'float32' as const, 'float16' as const, 'bfloat16' as const)
const config: fc.Arbitrary<MergeConfig> = fc
  .record(
    {
      mergeMethod: methodDrafts.map((drafts) => methodsAt(drafts, ['merge_method'])),
      modules,
      baseModel: reference,
      settings,
      dtype,
      outDtype: dtype,
      tokenizer,
      chatTemplate: fc.oneof(
        word,
        fc.string({ minLength: 1, unit: fc.constantFrom('{', '%', ' ', '\n', 'x', '"', '#') }),
      ),
    },
    { requiredKeys: ['mergeMethod', 'modules', 'settings'] },
  )
  .map(({ settings: map, ...rest }) => ({ ...rest, parameters: { path: ['parameters'], settings: map } }))
