import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { ConfigError } from './errors.ts'
import { parseConfig } from './parse-config.ts'
import { stringifyYaml } from './stringify-yaml.ts'

const failureOf = (recipe: object): ConfigError => {
  try {
    parseConfig(recipe)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the config was accepted')
}

const goldens = new URL('../../../goldens/cases/', import.meta.url)
const recipes = readdirSync(goldens).flatMap((name) => {
  try {
    return [[name, readFileSync(new URL(`${name}/config.yml`, goldens), 'utf8')] as const]
  } catch {
    return []
  }
})

const isOne = (text: string) => /^merge_method:/m.test(text) && !/^---/m.test(text)

test.each(recipes.filter(([, text]) => isOne(text)))('an object says what its YAML says: %s', (_, text) => {
  const { document, config } = parseConfig(text)
  const read = parseConfig(document as object)
  expect(read.config).toEqual(config)
  expect(read.document).toEqual(document)
  expect(parseConfig(stringifyYaml(read.document)).config).toEqual(config)
})

it('takes values that are undefined as absent', () => {
  const { config, document } = parseConfig({ merge_method: 'linear', models: [{ model: 'a' }], dtype: undefined })
  expect(config).not.toHaveProperty('dtype')
  expect(document).not.toHaveProperty('dtype')
})

it('names the path of what is wrong, of all in the order of the object', () => {
  const { message, issues } = failureOf({
    merge_method: 'slerp',
    slices: [
      {
        sources: [
          { model: 'a', layer_range: [0, 1] },
          { model: 'b', layer_range: [2, 1], parameters: { t: [0, 'high'] } },
        ],
      },
    ],
    dtype: 'bf16',
    parmeters: {},
  })
  expect(message.split('\n')).toEqual([
    'config: slices[0].sources[1].layer_range is [2, 1], expected [start, end) as two integers: the end is before the start',
    "config: slices[0].sources[1].parameters.t[1] is the text 'high', expected a number, as the values of a gradient are",
    expect.stringContaining("config: dtype is the text 'bf16', expected one of float64"),
    "config: unknown key 'parmeters' in the config; did you mean 'parameters'?",
  ])
  expect(issues[1]!.path).toEqual(['slices', 0, 'sources', 1, 'parameters', 't', 1])
})

it('warns with the path, and tells it of any value', () => {
  const { warnings, locate } = parseConfig({
    merge_method: 'linear',
    models: [{ model: 'a', parameters: { weight: '1' } }],
  })
  expect(warnings).toEqual([
    "models[0].parameters.weight: models[0].parameters.weight is the text '1', read as the number 1",
  ])
  expect(locate(['models', 0, 'model'])).toMatchObject({ path: ['models', 0, 'model'] })
})

describe('refuses', () => {
  const around: Record<string, unknown> = { merge_method: 'linear' }
  around['models'] = [{ model: 'a', parameters: around }]
  let deep: unknown = 1
  for (let level = 0; level < 200; level++) deep = [deep]
  test.each<[string, unknown, string]>([
    ['a function', () => 1, 'parameters.weight is a function, expected plain data'],
    ['a number of another kind', 1n, 'parameters.weight is a bigint'],
    ['an object of a class', new Date(0), 'parameters.weight is an object of the class Date'],
    ['an object of a class without a name', new (class {})(), 'parameters.weight is an object of a class,'],
    ['a map', new Map(), 'parameters.weight is an object of the class Map'],
    ['a typed array', Float32Array.of(1), 'parameters.weight is an object of the class Float32Array'],
    ['what is no number', NaN, 'parameters.weight is NaN, expected a finite number'],
    ['a hole in a list', Array.from({ length: 1 }), 'parameters.weight[0] is empty'],
    ['what is inside of itself', around, 'parameters.weight.models[0].parameters is inside of itself'],
    ['what is nested without end', deep, 'is nested more than 100 levels deep'],
    ['more values than any recipe has', Array.from({ length: 300_000 }, () => 1), 'is over the limit of 200000 values'],
  ])('%s', (_, weight, message) => {
    expect(failureOf({ merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight } }).message).toContain(
      message,
    )
  })
})

it('takes objects of other realms and those without a prototype', () => {
  const recipe = Object.assign(Object.create(null) as object, { merge_method: 'linear', models: [{ model: 'a' }] })
  expect(parseConfig(recipe).config.mergeMethod[0]!.method).toBe('linear')
})
