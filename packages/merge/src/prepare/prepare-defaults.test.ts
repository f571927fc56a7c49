import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { expect, test } from 'vitest'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { prepareMerge } from '../node/prepare-merge.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const alone = (model: string) => `merge_method: passthrough\nmodels: [{model: ${model}}]\n`

/** A file of two tensors with so many elements, none of which is stored. */
async function writeHollow(name: string, elements: readonly [number, number]): Promise<void> {
  const tensors = elements.map((count, index) => ({ name: `t${index}`, dtype: 'F32' as const, shape: [count] }))
  const { header, fileBytes } = layoutFile(tensors, {})
  const handle = await open(at(name), 'w')
  await handle.write(header)
  await handle.truncate(fileBytes)
  await handle.close()
}

test('files have at most 5 · 10⁹ bytes where nothing else is said', async () => {
  // A model that is taken as it is keeps its files.
  const scaled = `${alone('hollow.safetensors')}parameters: {scale: 2}\n`
  const filesOf = async (elements: readonly [number, number], options = {}) => {
    await writeHollow('hollow.safetensors', elements)
    return (await prepareIn(folder.path, scaled, options)).plan.files.length
  }
  expect(await filesOf([1, 1.25e9 - 1])).toBe(1)
  expect(await filesOf([1, 1.25e9])).toBe(2)
  expect(await filesOf([1, 1], { shardBytes: 7 })).toBe(2)
  expect(await filesOf([1, 1], { shardBytes: 8 })).toBe(1)
})

test('random numbers follow from 0, and the plan is as if that were said', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { plan } = await prepareIn(folder.path, alone('a'))
  expect(plan.seed).toBe(0)
  const said = { seed: 0, shardBytes: 5e9, copyTokenizer: true, writeModelCard: true, allowMixedArchitectures: false }
  expect((await prepareIn(folder.path, alone('a'), { ...said, lenient: false })).plan).toEqual(plan)
  expect((await prepareIn(folder.path, alone('a'), { seed: 3 })).plan.seed).toBe(3)
})

test('an output that tells its name has that of the recipe’s file, or one that is said', async () => {
  await writeFile(at('a.gguf'), ggufFile('llama3', 'F32'))
  const text = alone(at('a.gguf'))
  const nameOf = async (options: object) => {
    const { plan } = await prepareMerge({ text, ...options })
    const [file] = plan.files
    const header = file!.format === 'gguf' ? Buffer.from(file!.pieces[0]!.base64, 'base64').toString('latin1') : ''
    const key = header.indexOf('general.name') + 'general.name'.length
    // A type, then a text with its length before it.
    const length = Buffer.from(header.slice(key + 4, key + 12), 'latin1').readUInt32LE(0)
    return header.slice(key + 12, key + 12 + length)
  }
  expect(await nameOf({})).toBe('merged')
  expect(await nameOf({ file: at('my.recipe.yml') })).toBe('my.recipe')
  expect(await nameOf({ file: at('.yml') })).toBe('.yml')
  expect(await nameOf({ file: at('my.recipe.yml'), name: 'said' })).toBe('said')
})

test('relative paths start from the current folder, then from that of the recipe, or from those that are said', async () => {
  await writeLlamas(folder.path, { a: {}, 'sub/b': {} })
  const folderOf = async (model: string, options: object) => {
    const { inputs } = await prepareMerge({ text: alone(model), ...options })
    return inputs.checkpoints[0]!.folder
  }
  expect(await folderOf('./b', { file: at('sub/recipe.yml') })).toBe(at('sub/b'))
  expect(await folderOf('./a', { file: at('sub/recipe.yml'), roots: [folder.path] })).toBe(at('a'))
  await expect(folderOf('./b', { file: at('sub/recipe.yml'), roots: [folder.path] })).rejects.toMatchObject({
    code: 'folder-not-found',
  })
})

test('what is done before a plan is told once for each plan', async () => {
  await writeLlamas(folder.path, { a: {} })
  let plans = 0
  await prepareIn(folder.path, alone('a'), { onPlan: () => void plans++ })
  expect(plans).toBe(1)
})

test('recipes of a file that the output is not made of are named, and planned where that is asked for', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const text = `name: unused\n${alone('b')}---\nname: used\n${alone('a')}---\n${alone('used')}`
  const { warnings, stages } = await prepareIn(folder.path, text)
  expect(warnings).toEqual([
    expect.stringMatching(/recipe\.yml:1:7: nothing of the output is made of 'unused'; it is not merged$/),
  ])
  expect(stages.map(({ name }) => name)).toEqual(['used'])
  const all = await prepareIn(folder.path, text, { withUnused: true })
  expect(all.stages.map(({ name }) => name)).toEqual(['unused', 'used'])
  expect(all.warnings).toEqual([])
})

test('a signal that has fired ends the preparation with its reason', async () => {
  await writeLlamas(folder.path, { a: {} })
  await expect(prepareIn(folder.path, alone('a'), { signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
  const stop = new AbortController()
  const planned = prepareIn(folder.path, alone('a'), { signal: stop.signal, onPlan: () => stop.abort('late') })
  await expect(planned).rejects.toBe('late')
  expect((await prepareIn(folder.path, alone('a'), { signal: new AbortController().signal })).plan.tensors.length).toBe(
    9,
  )
})

test('code that a recipe names is loaded once, however many recipes name it', async () => {
  await writeLlamas(folder.path, { a: {} })
  const own = {
    name: 'own',
    summary: 'The first.',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    merge: ({ models }: { models: readonly unknown[] }) => models[0],
  } as never
  const loaded: unknown[] = []
  const loadMethod = async (...given: readonly string[]) => {
    loaded.push(given)
    return own
  }
  const recipe = (model: string) => `merge_method: ./own.mjs\nmodels: [{model: ${model}}]\n`
  const text = `name: inner\n${recipe('a')}---\n${recipe('inner')}`
  const { methods } = await prepareIn(folder.path, text, { loadMethod, allowCode: true })
  expect(loaded).toEqual([['./own.mjs', folder.path]])
  expect(methods.get('./own.mjs')).toBe(own)
  await expect(prepareIn(folder.path, text, { loadMethod })).rejects.toMatchObject({ code: 'code-not-allowed' })
  await expect(prepareIn(folder.path, text, { loadMethod, allowCode: [at('other.mjs')] })).rejects.toMatchObject({
    code: 'code-not-allowed',
  })
  await prepareIn(folder.path, text, { loadMethod, allowCode: [at('own.mjs')] })
  expect(loaded).toHaveLength(2)
})
