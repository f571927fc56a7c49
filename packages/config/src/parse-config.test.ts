import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { failureOf, faultsOf, withTop } from './__fixtures__/failures.ts'
import { readRecipes } from './read-recipes.ts'
import { parseConfig } from './parse-config.ts'

const none = (...path: (string | number)[]) => ({ path, settings: new Map() })

it('reads models as one slice over all layers', () => {
  const { config } = parseConfig(
    'merge_method: ties\nbase_model: b@v1\nmodels:\n- model: a+l\n  parameters: {weight: 0.5}\n- model: b\ndtype: torch.bfloat16\nout_dtype: float16\nchat_template: auto',
  )
  expect(config).toEqual({
    mergeMethod: [{ filter: undefined, method: 'ties', path: ['merge_method'] }],
    baseModel: { path: 'b', revision: 'v1', adapters: [] },
    modules: [
      {
        name: undefined,
        from: 'models',
        path: [],
        parameters: none('parameters'),
        slices: [
          {
            path: ['models'],
            parameters: none('models'),
            sources: [
              {
                model: { path: 'a', adapters: [{ path: 'l' }] },
                parameters: {
                  path: ['models', 0, 'parameters'],
                  settings: new Map([['weight', { kind: 'scalar', value: 0.5 }]]),
                },
                path: ['models', 0],
              },
              { model: { path: 'b', adapters: [] }, parameters: none('models', 1, 'parameters'), path: ['models', 1] },
            ],
          },
        ],
      },
    ],
    parameters: none('parameters'),
    dtype: 'bfloat16',
    outDtype: 'float16',
    chatTemplate: 'auto',
  })
})

it('reads slices with ranges, bases and parameters of their own', () => {
  const { config } = parseConfig(
    'merge_method: slerp\nslices:\n- sources: [{model: a, layer_range: [0, 4]}, {model: b, layer_range: ["2", 6.0]}]\n  base_model: a\n  parameters: {t: 0.1}\n- sources: [{model: c}]',
  )
  const [first, second] = config.modules[0]!.slices
  expect(config.modules[0]).toMatchObject({ name: undefined, from: 'slices' })
  expect(first).toMatchObject({
    sources: [{ layerRange: [0, 4] }, { layerRange: [2, 6], path: ['slices', 0, 'sources', 1] }],
    baseModel: { path: 'a' },
    path: ['slices', 0],
  })
  expect(first!.parameters.settings.get('t')).toEqual({ kind: 'scalar', value: 0.1 })
  expect(second!.sources[0]).not.toHaveProperty('layerRange')
})

it('takes a slice of no layers', () => {
  const { config } = parseConfig('merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 0]}]')
  expect(config.modules[0]?.slices[0]?.sources[0]?.layerRange).toEqual([0, 0])
})

it('reads modules, in their order', () => {
  const { config } = parseConfig(
    'merge_method: linear\nmodules:\n  vision_tower: {models: [{model: a}]}\n  text: {slices: [{sources: [{model: b}]}], parameters: {weight: 1}}',
  )
  expect(config.modules).toMatchObject([
    {
      name: 'vision_tower',
      from: 'models',
      path: ['modules', 'vision_tower'],
      parameters: none('modules', 'vision_tower', 'parameters'),
    },
    { name: 'text', from: 'slices', slices: [{ path: ['modules', 'text', 'slices', 0] }] },
  ])
  expect(config.modules[1]!.parameters.settings.has('weight')).toBe(true)
})

it.each(['safetensors', 'gguf', 'lora'])('reads that the output is %s, of rank 1', (outFormat) => {
  const text = `merge_method: linear\nmodels: [{model: a}]\nout_format: ${outFormat}\nrank: 1`
  expect(parseConfig(text).config).toMatchObject({ outFormat, rank: 1 })
})

it.each(['products', 'knots', 'factors'])('reads that an adapter is merged as %s', (space) => {
  const text = `merge_method: ties\nbase_model: b\nmodels: [{model: a}]\nout_format: lora\nadapter_space: ${space}`
  expect(parseConfig(text).config).toMatchObject({ adapterSpace: space })
})

it.each(['0', '1.5', '"1"'])('refuses a rank of %s', (rank) => {
  expect(failureOf(`merge_method: linear\nmodels: [{model: a}]\nout_format: lora\nrank: ${rank}`).message).toContain(
    'a whole number from 1',
  )
})

it('keeps a revision as it is written', () => {
  const { config } = parseConfig(
    'merge_method: linear\nmodels:\n- model: {model: {path: a, revision: 12e4567}}\n- model: 007\n- model: C:\\Users\\me\\model',
  )
  expect(config.modules[0]!.slices[0]!.sources.map(({ model }) => model)).toEqual([
    { path: 'a', revision: '12e4567', adapters: [] },
    { path: '007', adapters: [] },
    { path: 'C:\\Users\\me\\model', adapters: [] },
  ])
})

it('gives input_model_parameters to every source with the model', () => {
  const { config } = parseConfig(
    'merge_method: linear\nbase_model: c\nslices:\n- sources: [{model: a}, {model: ./b}]\ninput_model_parameters:\n  b: {weight: 0.5}\n  c: {weight: 1}',
  )
  const [a, b] = config.modules[0]!.slices[0]!.sources
  expect(a).not.toHaveProperty('modelParameters')
  expect(b!.modelParameters).toEqual({
    path: ['input_model_parameters', 'b'],
    settings: new Map([['weight', { kind: 'scalar', value: 0.5 }]]),
  })
  expect(
    faultsOf('merge_method: linear\nmodels: [{model: org/alpha}]\ninput_model_parameters: {org/alhpa: {weight: 1}}'),
  ).toEqual([`config:3:26: unknown key 'org/alhpa' in input_model_parameters; did you mean 'org/alpha'?`])
})

describe('reports', () => {
  it.each([
    [
      'no method',
      'models: [{model: a}]',
      `config:1:1: the config needs 'merge_method'; for example 'merge_method: linear'`,
    ],
    ['no models', 'merge_method: linear', `config:1:1: the config needs 'models', 'slices' or 'modules'`],
    [
      'models and slices',
      withTop('slices: [{sources: [{model: a}]}]'),
      `config:3:9: the config has 'models' and 'slices', of which only one can be given`,
    ],
    [
      'an empty list',
      'merge_method: linear\nmodels: []',
      `config:2:9: models is an empty list, expected a list of {model, parameters}`,
    ],
    ['a bare model', 'merge_method: linear\nmodels: [a]', `a model alone is written '- model: …'`],
    [
      'a parameter beside parameters',
      'merge_method: linear\nmodels: [{model: a, density: 1}]',
      'settings of the merge method stand under parameters',
    ],
    [
      'a layer range outside of slices',
      'merge_method: linear\nmodels: [{model: a, layer_range: [0, 1]}]',
      'ranges of layers stand under slices',
    ],
    ['a source without a model', 'merge_method: linear\nmodels: [{parameters: {}}]', `models[0] needs 'model'`],
    ['a slice without sources', 'merge_method: linear\nslices: [{parameters: {}}]', `slices[0] needs 'sources'`],
    [
      'a method beside a model',
      'merge_method: linear\nslices: [{sources: [{model: a, merge_method: slerp}]}]',
      'it stands at the top level',
    ],
    [
      'a module with both',
      'merge_method: linear\nmodules: {m: {models: [{model: a}], slices: []}}',
      `modules.m has 'models' and 'slices'`,
    ],
    [
      'a module with neither',
      'merge_method: linear\nmodules: {m: {parameters: {}}}',
      `modules.m needs 'models' or 'slices'`,
    ],
    ['modules as a list', 'merge_method: linear\nmodules: [a]', 'modules is a list, expected a mapping'],
    ['a dtype of another tool', withTop('dtype: bf16'), `did you mean 'bfloat16'?`],
    ['another way with missing tensors', withTop('missing: ignore'), `'base' or 'skip' or 'others'`],
    ['a misspelled dtype', withTop('out_dtype: flaot32'), `did you mean 'float32'?`],
    ['an integer dtype', withTop('dtype: int64'), `dtype is the text 'int64', expected one of float64`],
    [
      'a method that is no name',
      'merge_method: [linear]\nmodels: [{model: a}]',
      'merge_method is a list, expected the name of a merge method',
    ],
    ['a text for a config', 'hello', `the config is the text 'hello', expected a mapping`],
    ['a recipe of bakllama', 'layer_slices: []\nembedding_source: a', `this is a recipe for the command 'bakllama'`],
    ['a recipe of mergekit-moe', 'base_model: a\nexperts: []', `this is a recipe for the command 'mergekit-moe'`],
  ])('%s', (_, text, message) => {
    expect(faultsOf(text)).toEqual([expect.stringContaining(message)])
  })

  it.each([
    ['[4, 2]', 'the end is before the start'],
    ['[-1, 2]', 'the first layer is 0'],
    ['[0, 2.5]', 'layers are counted in whole numbers'],
    ['[0, x]', 'layers are counted in whole numbers'],
    ['[0]', 'layer_range is [0], expected [start, end)'],
    ['[0, 1, 2]', 'layer_range is [0, 1, 2], expected [start, end)'],
    ['0-32', `layer_range is the text '0-32', expected [start, end)`],
  ])('the layer range %s', (range, message) => {
    const error = failureOf(
      `merge_method: passthrough\nslices:\n- sources:\n  - model: a\n    layer_range: ${range}`,
      'stack.yml',
    )
    expect(error.code).toBe('bad-layer-range')
    expect(error.message).toContain(message)
    expect(error.message).toMatch(/^stack\.yml:5:18: slices\[0\]\.sources\[0\]\.layer_range is /)
  })

  it('everything at once, in the order of the file, each with its place', () => {
    const error = failureOf(
      'merge_methd: linear\nmodels:\n  - model: a@b@c\n    wieght: 1\n    parameterz: {}\ndtype: fp16\nparameters:\n  t: .nan\n  x:',
      'recipe.yml',
    )
    expect(error.issues.map(({ code }) => code)).toEqual([
      'unknown-key',
      'bad-model-reference',
      'unknown-key',
      'unknown-key',
      'wrong-value',
      'wrong-value',
      'wrong-value',
    ])
    expect(error.message.split('\n').map((line) => line.slice(0, 60))).toEqual([
      `recipe.yml:1:1: unknown key 'merge_methd' in the config; did`,
      `recipe.yml:3:12: models[0].model: 'a@b@c' is no model refere`,
      `recipe.yml:4:5: unknown key 'wieght' in models[0]; settings `,
      `recipe.yml:5:5: unknown key 'parameterz' in models[0]; did y`,
      `recipe.yml:6:8: dtype is the text 'fp16', expected one of fl`,
      `recipe.yml:8:6: parameters.t is .nan, expected a finite numb`,
      `recipe.yml:9:5: parameters.x is empty, expected a value, a g`,
    ])
    expect(error).toMatchObject({
      code: 'unknown-key',
      issue: { key: 'merge_methd', nearest: 'merge_method', file: 'recipe.yml', position: { line: 1, column: 1 } },
    })
  })

  it('no more than a screen of them', () => {
    const lines = failureOf(withTop(Array.from({ length: 50 }, (_, i) => `zzz${i}: 1`).join('\n'))).message.split('\n')
    expect(lines).toHaveLength(21)
    expect(lines.at(-1)).toBe('and 30 more')
  })

  it.each([
    [19, 19, `'zzz18'`],
    [20, 20, `'zzz19'`],
    [21, 21, 'and 1 more'],
    [22, 21, 'and 2 more'],
  ])('%i of them in %i lines', (count, lineCount, last) => {
    const lines = failureOf(withTop(Array.from({ length: count }, (_, i) => `zzz${i}: 1`).join('\n'))).message.split(
      '\n',
    )
    expect(lines).toHaveLength(lineCount)
    expect(lines.at(-1)).toContain(last)
  })
})

it('notes keys of other tools that change nothing', () => {
  const { warnings } = parseConfig(
    'name: my-merge\nmerge_method: passthrough\nslices: [{sources: [{model: a}], residual_weight: 0.1}]\nrandom_seed: 0',
    { file: 'r.yml' },
  )
  expect(warnings).toEqual([
    expect.stringMatching(/^r\.yml:1:1: 'name' in the config is ignored: /),
    expect.stringMatching(/^r\.yml:4:1: 'random_seed' in the config is ignored: .*--random-seed$/),
    expect.stringMatching(/^r\.yml:3:34: 'residual_weight' in slices\[0\] is ignored: /),
  ])
})

describe('locate', () => {
  const { locate } = parseConfig(
    'merge_method: linear\nmodels:\n  - model: a\n    parameters: &p\n      weight: 0.5\n      density:\n        - {filter: x, value: 1}\n  - {model: b, parameters: {<<: *p, weight: 1}}\n',
  )

  it('finds values and keys', () => {
    expect(locate([])).toEqual({ line: 1, column: 1 })
    expect(locate(['models', 0, 'parameters', 'weight'])).toEqual({ line: 5, column: 15 })
    expect(locate(['models', 0, 'parameters', 'weight'], 'key')).toEqual({ line: 5, column: 7 })
    expect(locate(['models', 0, 'parameters', 'density', 0, 'value'])).toEqual({ line: 7, column: 30 })
  })

  it('finds what came through a merge key where it was written', () => {
    expect(locate(['models', 1, 'parameters', 'weight'])).toEqual({ line: 8, column: 45 })
    expect(locate(['models', 1, 'parameters', 'density', 0, 'filter'])).toEqual({ line: 7, column: 20 })
  })

  it('finds what holds a thing that does not exist', () => {
    expect(locate(['models', 0, 'parameters', 'gamma', 3])).toEqual({ line: 5, column: 7 })
    expect(locate(['models', 7])).toEqual({ line: 3, column: 3 })
  })
})

it('gives the plain document', () => {
  expect(parseConfig(withTop('parameters: {t: [0, 1]}')).document).toEqual({
    merge_method: 'linear',
    models: [{ model: 'a' }],
    parameters: { t: [0, 1] },
  })
})

describe('every golden case parses without a word', () => {
  const cases = new URL('../../../goldens/cases/', import.meta.url)
  const files = readdirSync(cases)
    .filter((name) => !name.startsWith('bakllama'))
    .map((name) => new URL(`${name}/config.yml`, cases))
    .filter((file) => existsSync(file))

  it.each(files.map((file) => [file.pathname.split('/').at(-2)!, file] as const))('%s', (_, file) => {
    const { recipes, issues } = readRecipes(readFileSync(file, 'utf8'))
    expect([...issues, ...recipes.flatMap((recipe) => [...recipe.issues, ...recipe.warnings])]).toEqual([])
  })
})
