import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { concat, stateDict } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { isRawPath, openRaw } from './open-raw.ts'

let root: string
let folder: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-raw-'))
})
beforeEach(async () => {
  folder = await mkdtemp(join(root, 'case-'))
})
afterAll(() => rm(root, { recursive: true }))

async function write(name: string, ...tensors: readonly string[]): Promise<string> {
  const { header, fileBytes } = layoutFile(
    tensors.map((tensor) => ({ name: tensor, dtype: 'F32', shape: [2] })),
    {},
  )
  const bytes = name.endsWith('.safetensors')
    ? concat(header, new Uint8Array(fileBytes - header.length))
    : zip(
        torchZip(stateDict(Object.fromEntries(tensors.map((tensor) => [tensor, { shape: [2] }]))), {
          0: new Uint8Array(8),
        }),
      )
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

const open = (path: string) => openRaw(nodeFiles, { path, adapters: [] }, path)
const namesIn = async (path: string) => [...(await open(path)).tensors.keys()].sort()

test('a file opens as a checkpoint without config and folder', async () => {
  const file = await write('unet.safetensors', 'a')
  expect(await open(file)).toMatchObject({
    reference: { path: file },
    config: undefined,
    folder: undefined,
    hub: undefined,
    documents: new Map(),
    files: [],
    notes: [],
  })
  expect((await open(file)).tensors.get('a')).toMatchObject({ kind: 'file', dtype: 'F32', shape: [2], file })
})

test.each(['voice.bin', 'voice.pt', 'voice.pth', 'voice.ckpt'])('%s is read as a pickle', async (name) => {
  expect(await namesIn(await write(name, 'a', 'b'))).toEqual(['a', 'b'])
})

test.each([
  ['model.safetensors', true],
  ['a/model.safetensors.index.json', true],
  ['pytorch_model.bin.index.json', true],
  ['org/model', false],
  ['model.gguf', false],
])('%s names files of tensors: %s', (path, raw) => expect(isRawPath(path)).toBe(raw))

test('any shard stands for its set', async () => {
  await write('m-00001-of-00002.safetensors', 'a')
  expect(await namesIn(await write('m-00002-of-00002.safetensors', 'b'))).toEqual(['a', 'b'])
})

test('a name that counts further than its set is that of a file of its own', async () => {
  expect(await namesIn(await write('m-00003-of-00002.safetensors', 'a'))).toEqual(['a'])
  await write('n-00001-of-00001.safetensors', 'b')
  expect(await namesIn(join(folder, 'n-00001-of-00001.safetensors'))).toEqual(['b'])
})

test('a shard that is missing is named', async () => {
  const file = await write('m-00001-of-00002.safetensors', 'a')
  await expect(open(file)).rejects.toMatchObject({
    code: 'raw-shard-missing',
    issue: { shard: 'm-00002-of-00002.safetensors' },
  })
})

test('a set of hostile size ends at the first shard that is missing', async () => {
  await expect(open(await write('m-00001-of-99999.safetensors', 'a'))).rejects.toMatchObject({
    code: 'raw-shard-missing',
  })
})

test('a folder gives all its safetensors and none of its pickles', async () => {
  await write('one.safetensors', 'a')
  await write('two.safetensors', 'b')
  await write('old.bin', 'c')
  expect(await namesIn(folder)).toEqual(['a', 'b'])
})

test('a folder of pickles opens too', async () => {
  await write('one.pt', 'a')
  expect(await namesIn(folder)).toEqual(['a'])
})

test('an index decides where there is one', async () => {
  await write('x.safetensors', 'a')
  await write('extra.safetensors', 'a')
  await writeFile(join(folder, 'x.safetensors.index.json'), JSON.stringify({ weight_map: { a: 'x.safetensors' } }))
  expect(await namesIn(folder)).toEqual(['a'])
})

test('a tensor that the index places wrongly is named', async () => {
  await write('x.safetensors', 'a')
  await writeFile(join(folder, 'x.safetensors.index.json'), JSON.stringify({ weight_map: { b: 'x.safetensors' } }))
  await expect(open(folder)).rejects.toMatchObject({ code: 'raw-index-missing', issue: { tensor: 'b' } })
})

test('a shard that the index names but the folder lacks is named', async () => {
  await writeFile(join(folder, 'x.safetensors.index.json'), JSON.stringify({ weight_map: { b: 'y.safetensors' } }))
  await expect(open(folder)).rejects.toMatchObject({ code: 'shard-missing', issue: { shard: 'y.safetensors' } })
})

test('two files with the same tensor are refused', async () => {
  await write('model.fp16.safetensors', 'a')
  await write('model.safetensors', 'a')
  await expect(open(folder)).rejects.toMatchObject({ code: 'raw-overlap', issue: { tensor: 'a' } })
})

test('files of a folder that are yet to be downloaded open by their headers', async () => {
  await write('one.safetensors', 'a')
  const file = join(folder, 'two.safetensors')
  const headers = new Map([[file, [{ name: 'b', dtype: 'F32' as const, shape: [2], byteStart: 96, byteEnd: 104 }]]])
  const { tensors } = await openRaw(nodeFiles, { path: folder, adapters: [] }, folder, headers)
  expect(tensors.get('b')).toEqual({ kind: 'file', dtype: 'F32', shape: [2], file, byteStart: 96 })
  expect(tensors.size).toBe(2)
})

test('a folder without tensors is refused', async () => {
  await mkdir(join(folder, 'sub'))
  await expect(open(folder)).rejects.toMatchObject({ code: 'raw-empty', issue: { folder } })
})

test('a file of another kind is refused', async () => {
  await writeFile(join(folder, 'model.gguf'), '')
  await expect(open(join(folder, 'model.gguf'))).rejects.toMatchObject({ code: 'raw-kind' })
})
