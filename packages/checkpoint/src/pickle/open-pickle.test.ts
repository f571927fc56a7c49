import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  call,
  concat,
  dict,
  global,
  int,
  list,
  oldFile,
  pickle,
  stateDict,
  str,
  tensor,
  tuple,
} from './__fixtures__/pickle-bytes.ts'
import { readSource } from './__fixtures__/read-source.ts'
import { torchZip, zip } from './__fixtures__/zip-bytes.ts'
import { openPickle } from './open-pickle.ts'

const fixture = (name: string): string => new URL(`__fixtures__/${name}`, import.meta.url).pathname
const golden = (name: string): string => new URL(`../../../../goldens/models/${name}`, import.meta.url).pathname

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-pickle-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function write(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const floatsOf = (bytes: Uint8Array): readonly number[] => [...new Float32Array(bytes.slice().buffer)]

const safetensorsDtypes: Readonly<Record<string, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float8_e4m3fn: 'F8_E4M3',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  bool: 'BOOL',
}

describe('files written by torch.save', () => {
  test.each(['torch-zip.bin', 'torch-old.bin'])('every tensor of %s has its dtype, shape and bytes', async (name) => {
    const expected: Record<string, { dtype: string; shape: number[]; hex: string }> = JSON.parse(
      await readFile(fixture('expected.json'), 'utf8'),
    )
    const tensors = await openPickle(nodeFiles, [fixture(name)])
    // The old format has no way to store these two.
    const names = Object.keys(expected).filter((key) => name !== 'torch-old.bin' || !['fp8', 'u16'].includes(key))
    expect([...tensors.keys()]).toEqual(names)
    for (const key of names) {
      const source = tensors.get(key)!
      const { dtype, shape, hex } = expected[key]!
      expect([key, source.dtype, source.shape, Buffer.from(readSource(source)).toString('hex')]).toEqual([
        key,
        safetensorsDtypes[dtype],
        shape,
        hex,
      ])
    }
  })

  test('contiguous parts of a shared storage are ranges of the file, others are strided', async () => {
    const tensors = await openPickle(nodeFiles, [fixture('torch-zip.bin')])
    const kind = (name: string) => tensors.get(name)?.kind
    expect([kind('grid'), kind('rows'), kind('shared'), kind('empty'), kind('scalar')]).toEqual(
      Array.from({ length: 5 }, () => 'file'),
    )
    expect([kind('transposed'), kind('column'), kind('block'), kind('expanded')]).toEqual(
      Array.from({ length: 4 }, () => 'strided'),
    )
  })

  test('the state dict of a training checkpoint is found, and what is beside it is told', async () => {
    const notes: string[] = []
    const tensors = await openPickle(nodeFiles, [fixture('nested.ckpt')], { onNote: (note) => notes.push(note) })
    expect([...tensors.keys()]).toEqual(['w'])
    expect(notes).toEqual([expect.stringMatching(/'state_dict'.*epoch, lr, optimizer/)])
  })

  test('a whole module is refused by the name of its class', async () => {
    await expect(openPickle(nodeFiles, [fixture('whole-module.pt')])).rejects.toMatchObject({
      code: 'pickle-global',
      issue: { name: 'torch.nn.modules.linear.Linear' },
    })
  })

  test.each([
    ['pickle-base', '74f97050c32b6360668a55d70f7114753f9b6048bae02a5a8acb06aa7bb978c8'],
    ['pickle-ft1', '51cd3d001cf4e32e9661b5f63f678fe3ed44a5b5f09fe54ac73f4e85276555a3'],
  ])('the bytes of %s are those that torch.load gives', async (name, sha256) => {
    const tensors = await openPickle(nodeFiles, [golden(`${name}/pytorch_model.bin`)])
    const hash = createHash('sha256')
    for (const source of tensors.values()) hash.update(readSource(source))
    expect([tensors.size, hash.digest('hex')]).toEqual([39, sha256])
  })
})

describe('files written by hand', () => {
  test('zip64 sizes and offsets are read', async () => {
    const parts = torchZip(stateDict({ w: { shape: [2] } }), { 0: floats(1, 2) })
    const tensors = await openPickle(nodeFiles, [await write('wide.bin', zip(parts, { zip64: true }))])
    expect(floatsOf(readSource(tensors.get('w')!))).toEqual([1, 2])
  })

  test('a view of the old format starts at its offset in the root storage', async () => {
    const view = tuple(str('v'), int(1), int(2))
    const id = concat(tuple(str('storage'), global('torch', 'FloatStorage'), str('k'), str('cpu'), int(4), view), 'Q')
    const viewed = call(global('torch._utils', '_rebuild_tensor'), id, int(1), tuple(int(1)), tuple(int(1)))
    const root = pickle(dict([str('w'), viewed]))
    const tensors = await openPickle(nodeFiles, [
      await write('old.bin', oldFile(root, { k: { elements: 4, bytes: floats(4, 5, 6, 7) } })),
    ])
    expect(floatsOf(readSource(tensors.get('w')!))).toEqual([6])
  })

  test('an unknown nested dict is told by its keys', async () => {
    const root = pickle(dict([str('generator'), dict([str('w'), tensor({ shape: [1] })])]))
    const file = await write('nested.bin', zip(torchZip(root, { 0: floats(1) })))
    await expect(openPickle(nodeFiles, [file])).rejects.toMatchObject({
      code: 'pickle-no-state-dict',
      message: expect.stringContaining('"generator"'),
    })
  })

  test('a list is no state dict', async () => {
    const file = await write('list.bin', zip(torchZip(pickle(list(tensor({ shape: [1] }))), { 0: floats(1) })))
    await expect(openPickle(nodeFiles, [file])).rejects.toMatchObject({ code: 'pickle-no-state-dict' })
  })

  test('a tensor whose name is a number is refused', async () => {
    const file = await write('key.bin', zip(torchZip(pickle(dict([int(1), tensor({ shape: [1] })])), { 0: floats(1) })))
    await expect(openPickle(nodeFiles, [file])).rejects.toMatchObject({ code: 'pickle-key' })
  })

  test('scalars beside the tensors are left out and told', async () => {
    const notes: string[] = []
    const root = pickle(dict([str('w'), tensor({ shape: [1] })], [str('step'), int(7)]))
    const tensors = await openPickle(nodeFiles, [await write('step.bin', zip(torchZip(root, { 0: floats(1) })))], {
      onNote: (note) => notes.push(note),
    })
    expect([...tensors.keys()]).toEqual(['w'])
    expect(notes).toEqual([expect.stringContaining('step')])
  })
})

describe('shards', () => {
  const shard = (name: string) => zip(torchZip(stateDict({ [name]: { shape: [1] } }), { 0: floats(1) }))

  test('an index opens the shards it lists', async () => {
    await write('pytorch_model-00001-of-00002.bin', shard('a'))
    await write('pytorch_model-00002-of-00002.bin', shard('b'))
    const map = { a: 'pytorch_model-00001-of-00002.bin', b: 'pytorch_model-00002-of-00002.bin' }
    const index = await write('pytorch_model.bin.index.json', JSON.stringify({ metadata: {}, weight_map: map }))
    expect([...(await openPickle(nodeFiles, [index])).keys()]).toEqual(['a', 'b'])
  })

  test('a tensor that its shard lacks is named', async () => {
    await write('one.bin', shard('a'))
    const index = await write('lacking.bin.index.json', JSON.stringify({ weight_map: { a: 'one.bin', c: 'one.bin' } }))
    await expect(openPickle(nodeFiles, [index])).rejects.toMatchObject({
      code: 'pickle-index-missing',
      issue: { tensor: 'c', shard: 'one.bin' },
    })
  })

  test('an index cannot name a file outside its folder', async () => {
    const index = await write('outside.bin.index.json', JSON.stringify({ weight_map: { a: '../a.bin' } }))
    await expect(openPickle(nodeFiles, [index])).rejects.toMatchObject({ code: 'unsafe-path' })
  })

  test('a tensor in two shards is refused', async () => {
    const files = [await write('left.bin', shard('a')), await write('right.bin', shard('a'))]
    await expect(openPickle(nodeFiles, files)).rejects.toMatchObject({
      code: 'pickle-shards-overlap',
      issue: { tensor: 'a' },
    })
  })
})
