import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { readRecipes } from '@mk/config'

const at = (path: string) => new URL(`../${path}`, import.meta.url)
const read = (path: string) => readFileSync(at(path), 'utf8')
const validate = new Ajv({ allowUnionTypes: true, strictTypes: false }).compile(
  JSON.parse(read('apps/cli/recipe.schema.json')) as object,
)

/** What the schema says against a recipe, or any of those in a file. */
const faultsOf = (text: string): string[] =>
  readRecipes(text).recipes.flatMap(({ document }) => {
    validate(document)
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`)
  })

const goldens = readdirSync(at('goldens/cases'))
  .map((name) => `goldens/cases/${name}/config.yml`)
  .filter((file) => existsSync(at(file)) && /^merge_method:/m.test(read(file)))
const examples = ['examples/recipes', 'examples/cookbook'].flatMap((folder) =>
  readdirSync(at(folder)).map((name) => `${folder}/${name}`),
)

test.each([...goldens, ...examples])('the recipe schema accepts %s', (file) => {
  expect(faultsOf(read(file))).toEqual([])
})

test('the recipe schema accepts what docs/configuration.md shows, but for keys that only hold anchors without saying x-', () => {
  const recipes = [...read('docs/configuration.md').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text!)
  expect(recipes.length).toBeGreaterThan(8)
  for (const text of recipes) expect(faultsOf(text.replace(/^(half:)/m, 'x-$1'))).toEqual([])
})

// That recipes with faults are refused: the tests of @mk/config and @mk/merge ask the schema for each that they have.
describe('the recipe schema refuses', () => {
  test.each([
    ['a method that is misspelled', 'merge_method: tis\nmodels: [{model: a}]'],
    ['a parameter that no method has', 'merge_method: linear\nmodels: [{model: a, parameters: {wieght: 1}}]'],
    ['a density that is text', 'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1, density: low}}]'],
    ['a method without the parameter that it needs', 'merge_method: linear\nmodels: [{model: a}]'],
    ['task vectors without a base', 'merge_method: ties\nmodels: [{model: a, parameters: {weight: 1}}]'],
    [
      'slerp of three models',
      'merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b}, {model: c}]\nparameters: {t: 1}',
    ],
  ])('%s', (_, text) => {
    expect(faultsOf(text)).not.toEqual([])
  })

  test('no name of a parameter where the method is a module', () => {
    expect(faultsOf('merge_method: ./own.mjs\nmodels: [{model: a, parameters: {boldness: 1}}]')).toEqual([])
  })
})
