import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { inFolder, writeTensors } from '../__fixtures__/models.ts'
import { readOutput } from './read-output.ts'

const shard = (number: number, of: number) => `model-0000${number}-of-0000${of}`
const index = 'model.safetensors.index.json'

/** What is wrong with a folder that has these files of one tensor each, and these texts. */
const faultsOf = (tensors: Readonly<Record<string, string>>, texts: Readonly<Record<string, string>> = {}) =>
  inFolder(async (folder) => {
    for (const [file, name] of Object.entries(tensors))
      await writeTensors(folder, file, { [name]: { shape: [2], values: [1, 2] } })
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text)
    return (await readOutput(folder)).faults.map(({ code, file, tensor }) => [code, file, ...(tensor ? [tensor] : [])])
  })

it('takes one file for whole, also by a number, and several only with an index', async () => {
  expect(await faultsOf({ model: 'w' })).toEqual([])
  expect(await faultsOf({ [shard(1, 1)]: 'w' })).toEqual([])
  const two = { [shard(1, 2)]: 'v', [shard(2, 2)]: 'w' }
  expect(await faultsOf(two)).toEqual([['index', index]])
  expect(await faultsOf({ [shard(1, 2)]: 'v' })).toEqual([['file-missing', `${shard(2, 2)}.safetensors`]])
  const weight_map = { v: `${shard(1, 2)}.safetensors`, w: `${shard(2, 2)}.safetensors` }
  const indexOf = (more: object) => ({ [index]: JSON.stringify({ metadata: { total_size: 16 }, weight_map, ...more }) })
  expect(await faultsOf(two, indexOf({}))).toEqual([])
  expect(await faultsOf(two, indexOf({ metadata: {} }))).toEqual([])
  expect(await faultsOf(two, indexOf({ metadata: { total_size: 17 } }))).toEqual([['index', index]])
  const swapped = { v: weight_map.w, w: weight_map.v }
  expect(await faultsOf(two, indexOf({ weight_map: swapped }))).toEqual([
    ['index', index, 'v'],
    ['index', index, 'w'],
  ])
})

it('names files that are too many, and a tensor that is in two', async () => {
  expect(await faultsOf({ model: 'w', other: 'v' })).toEqual([['extra-file', 'other.safetensors']])
  expect(await faultsOf({ a: 'w', b: 'w' })).toEqual([['index', 'b.safetensors', 'w']])
  for (const name of ['journal.json', 'journal.json.new', '.parts', '.partial-lock', 'x.partial'])
    expect(await faultsOf({ model: 'w' }, { [name]: '{}' })).toEqual([['extra-file', name]])
  expect(await faultsOf({ model: 'w' }, { 'impartial.txt': '', 'my-journal.json': '{}' })).toEqual([])
})

it('names small files that are no JSON, and a config.json that is no object', async () => {
  expect(await faultsOf({ model: 'w' }, { 'config.json': '[]' })).toEqual([['config', 'config.json']])
  expect(await faultsOf({ model: 'w' }, { 'generation_config.json': '{' })).toEqual([
    ['config', 'generation_config.json'],
  ])
  expect(await faultsOf({ model: 'w' }, { 'vocab.json': '[]', 'config.json': '{}' })).toEqual([])
})

it('reads a file alone, without what is beside it', () =>
  inFolder(async (folder) => {
    const file = await writeTensors(folder, shard(1, 2), { w: { shape: [2], values: [1, 2] } })
    await writeFile(join(folder, 'config.json'), '{}')
    const { faults, isFolder, files, config, tensors } = await readOutput(file)
    expect({ faults, isFolder, files, config }).toEqual({
      faults: [],
      isFolder: false,
      files: [`${shard(1, 2)}.safetensors`],
      config: undefined,
    })
    expect([...tensors.keys()]).toEqual(['w'])
    await mkdir(join(folder, 'empty'))
    expect((await readOutput(join(folder, 'empty'))).faults.map(({ code }) => code)).toEqual(['no-weights'])
  }))
