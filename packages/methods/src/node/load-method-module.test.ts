import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hashModule } from './hash-module.ts'
import { loadMethodModule, loadMethodsOfModule } from './load-method-module.ts'

const method = (name: string, more = ''): string =>
  `{ name: '${name}', summary: 'x', base: 'none', models: { min: 1 }, parameters: { perModel: {}, methodWide: {} }, merge: ({ models }) => models[0]${more} }`

let folder: string
const files: Record<string, string> = {
  'default.mjs': `export default ${method('by_default')}`,
  'named.mjs': `export const other = 1; export const method = ${method('by_name')}`,
  'only.mjs': `export const whatever = ${method('the_only')}; export const helper = () => 1`,
  'several.mjs': `export const one = ${method('one')}; export const two = ${method('two')}`,
  'none.mjs': 'export const helper = () => 1',
  'throws.mjs': "throw new Error('the disk is on fire')",
  'syntax.mjs': 'export const x = {',
  'taken.mjs': `export default ${method('ties')}`,
  'number.mjs': 'export default 3',
  'both.mjs': `export const method = ${method('second')}; export default ${method('first')}; export const third = ${method('third')}`,
  'empty.mjs': '',
  'object.mjs': 'throw { a: 1 }',
  'word.mjs': "throw 'a word'",
  'foreign.mjs': "import 'not-there'",
  'draws.mjs': `export default ${method('draws_never', ', draws() { return this.name === 1 }')}`,
  'node_modules/published/package.json':
    '{ "name": "published", "version": "1.0.0", "type": "module", "exports": "./main.js" }',
  'node_modules/published/main.js': `export default ${method('published')}`,
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-methods-'))
  await mkdir(join(folder, 'node_modules/published'), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true }))

describe('loadMethodModule', () => {
  it.each([
    ['./default.mjs', 'by_default'],
    ['default.mjs', 'by_default'],
    ['./named.mjs', 'by_name'],
    ['./only.mjs', 'the_only'],
    ['published', 'published'],
  ])('loads the method of %s', async (module, name) => {
    expect(await loadMethodModule(module, folder)).toMatchObject({ name })
  })

  it('takes absolute paths and URLs', async () => {
    const path = join(folder, 'default.mjs')
    expect(await loadMethodModule(path)).toMatchObject({ name: 'by_default' })
    expect(await loadMethodModule(pathToFileURL(path).href)).toMatchObject({ name: 'by_default' })
  })

  it.each([['./nothing.mjs'], ['nothing'], ['.']])('says where it looked for %s', async (module) => {
    await expect(loadMethodModule(module, folder)).rejects.toMatchObject({
      issue: { code: 'module-not-found', module, path: join(folder, module) },
    })
  })

  it('tells what a module throws', async () => {
    const loading = loadMethodModule('./throws.mjs', folder)
    await expect(loading).rejects.toMatchObject({
      code: 'module-failed',
      cause: expect.objectContaining({ message: 'the disk is on fire' }),
    })
    await expect(loading).rejects.toThrow("method module './throws.mjs' failed to load: the disk is on fire")
    await expect(loadMethodModule('./syntax.mjs', folder)).rejects.toMatchObject({ code: 'module-failed' })
  })

  it('refuses a module without a method, or with several and none of them the default', async () => {
    await expect(loadMethodModule('./none.mjs', folder)).rejects.toThrow(
      "'./none.mjs': it exports helper, of which 0 are merge methods; export a method made with defineMethod",
    )
    await expect(loadMethodModule('./several.mjs', folder)).rejects.toThrow(
      'it exports one, two, of which 2 are merge methods',
    )
    await expect(loadMethodModule('./number.mjs', folder)).rejects.toMatchObject({
      issue: { code: 'not-a-method', problem: 'it is a number, not an object' },
    })
  })

  it.each([
    ['object', '{"a":1}'],
    ['word', 'a word'],
  ])('tells what a module throws that is no error: %s', async (name, text) => {
    await expect(loadMethodModule(`./${name}.mjs`, folder)).rejects.toThrow(`failed to load: it threw ${text}`)
  })

  it('tells of a package that the module does not find', async () => {
    await expect(loadMethodModule('./foreign.mjs', folder)).rejects.toThrow("Cannot find package 'not-there'")
  })

  it('prefers the default, then the one called method', async () => {
    expect(await loadMethodModule('./both.mjs', folder)).toMatchObject({ name: 'first' })
  })

  it('says of an empty module that it exports nothing', async () => {
    await expect(loadMethodModule('./empty.mjs', folder)).rejects.toThrow('it exports nothing, of which 0 are')
  })

  it('takes a method that does not say whether it draws for one that does', async () => {
    const [silent, telling] = [
      await loadMethodModule('./default.mjs', folder),
      await loadMethodModule('./draws.mjs', folder),
    ]
    expect([silent.draws!({}), telling.draws!({})]).toEqual([true, false])
  })

  it('tells which file a method is of, and its version', async () => {
    const { file, code } = await loadMethodModule('./default.mjs', folder)
    expect([file, code]).toEqual([join(folder, 'default.mjs'), hashModule(join(folder, 'default.mjs'))])
  })

  it('does not take a folder for a module', async () => {
    await expect(loadMethodModule('./node_modules', folder)).rejects.toMatchObject({ code: 'module-not-found' })
  })

  it('refuses the name of a built-in method', async () => {
    await expect(loadMethodModule('./taken.mjs', folder)).rejects.toMatchObject({
      issue: { code: 'name-taken', method: 'ties' },
    })
  })
})

describe('loadMethodsOfModule', () => {
  it('loads all methods of a module', async () => {
    expect((await loadMethodsOfModule('./several.mjs', folder)).map(({ name }) => name)).toEqual(['one', 'two'])
    expect((await loadMethodsOfModule('./default.mjs', folder)).map(({ name }) => name)).toEqual(['by_default'])
    expect((await loadMethodsOfModule('./both.mjs', folder)).map(({ name }) => name)).toEqual([
      'first',
      'second',
      'third',
    ])
    await expect(loadMethodsOfModule('./none.mjs', folder)).rejects.toMatchObject({ code: 'not-a-method' })
  })
})
