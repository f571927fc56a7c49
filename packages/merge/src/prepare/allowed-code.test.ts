import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { builtinMethods } from '@mk/methods'
import { beforeEach, expect, test } from 'vitest'
import { expectIssue, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { prepareMerge } from '../node/prepare-merge.ts'

const folder = useFolder()
let loaded: [module: string, at: string][]
beforeEach(async () => {
  loaded = []
  await writeLlamas(folder.path, { a: {} })
})

const recipe = (method: string) => `merge_method: ${method}\nmodels: [{model: a}]`
const loadMethod = async (module: string, at: string) => {
  loaded.push([module, at])
  return { ...builtinMethods.get('passthrough')!, name: module }
}
const here = (name: string) => join(folder.path, name)

test('a method of mk is no code of the recipe', async () => {
  expect((await planIn(folder.path, recipe('passthrough'), { loadMethod })).method).toBe('passthrough')
  expect(loaded).toEqual([])
})

test.each(['./own.mjs', 'own.js', 'deep/own.ts', 'own.cjs', 'own.mts'])(
  '%s is code, and is not loaded unless that is allowed',
  async (module) => {
    for (const allowCode of [undefined, false, [], [here('other.mjs')]] as const)
      await expectIssue(
        prepareIn(folder.path, recipe(module), { loadMethod, ...(allowCode !== undefined && { allowCode }) }),
        'code-not-allowed',
        { module, where: expect.stringMatching(/recipe\.yml:1:15$/) as never },
      )
    expect(loaded).toEqual([])
    for (const allowCode of [true, [here('other.mjs'), here(module)]] as const)
      expect((await planIn(folder.path, recipe(module), { loadMethod, allowCode })).method).toBe(module)
    expect(loaded).toEqual(Array(2).fill([module, folder.path]))
  },
)

test('a module by its URL is allowed by its path', async () => {
  const url = pathToFileURL(here('own.mjs')).href
  await planIn(folder.path, recipe(url), { loadMethod, allowCode: [here('own.mjs')] })
  expect(loaded).toEqual([[url, folder.path]])
  await expectIssue(prepareIn(folder.path, recipe(url), { loadMethod, allowCode: [url] }), 'code-not-allowed')
})

test('nothing is loaded where nothing loads modules, and none of that name is known', async () => {
  const options = {
    text: recipe('./own.mjs'),
    file: here('recipe.yml'),
    methods: builtinMethods,
    allowCode: true,
  } as const
  await expectIssue(prepareMerge(options), 'unknown-method')
})
