import { createFileMap } from '@mk/source/web'
import { describe, expect, test } from 'vitest'
import { oldFile, stateDict } from './__fixtures__/pickle-bytes.ts'
import { torchZip, zip, type ZipPart } from './__fixtures__/zip-bytes.ts'
import { isKind } from './machine/pickle-value.ts'
import { isZip, readTorchFile, type TorchFileOptions } from './torch-file.ts'

const read = (bytes: Uint8Array, options?: TorchFileOptions) => {
  const files = createFileMap(new Map([['/f', bytes]])).openFiles()
  const { root, storages } = readTorchFile({ file: '/f', files, fileBytes: bytes.length }, options)
  return { names: isKind(root, 'dict') ? [...root.entries.keys()] : [], storages }
}
const dict = (name: string) => stateDict({ [name]: { key: '0', shape: [2] } })
const eight = new Uint8Array(8)

test.each([
  [[0x50, 0x4b], true],
  [[0x50, 0x4b, 3, 4], true],
  [[0x50, 0x4c], false],
  [[0x51, 0x4b], false],
  [[0x50], false],
  [[], false],
])('a file that begins with %j is a zip: %s', (start, is) => {
  expect(isZip(Uint8Array.from(start))).toBe(is)
})

describe('a zip', () => {
  test('has its pickle at the top or in a folder, whose storages are beside it', () => {
    const plain: readonly ZipPart[] = [
      { name: 'data.pkl', bytes: dict('a') },
      { name: 'data/0', bytes: eight },
      { name: 'other/data/1', bytes: eight },
    ]
    const { names, storages } = read(zip(plain))
    expect([names, [...storages.keys()]]).toEqual([['a'], ['0']])
    const inFolder = read(zip(torchZip(dict('b'), { 0: eight, 'x/1': eight })))
    expect([inFolder.names, [...inFolder.storages.keys()]]).toEqual([['b'], ['0', 'x/1']])
    const { byteStart, byteEnd } = inFolder.storages.get('0')!
    expect(byteEnd - byteStart).toBe(8)
  })

  test('has the first of several pickles, and none deeper', () => {
    const of = (...names: readonly string[]) => zip(names.map((name) => ({ name, bytes: dict(name) })))
    expect(read(of('b/data.pkl', 'a/data.pkl', 'data.pkl')).names).toEqual(['b/data.pkl'])
    for (const name of ['a/b/data.pkl', 'a/xdata.pkl', 'data.pkl.x', 'a/data_pkl'])
      expect(() => read(of(name))).toThrow(
        expect.objectContaining({ code: 'zip-missing', issue: { code: 'zip-missing', file: '/f', entry: 'data.pkl' } }),
      )
  })

  test.each(['big', 'littl', 'little ', 'little-endian-and-more'])('of the byte order %j is refused', (order) => {
    expect(() => read(zip(torchZip(dict('a'), {}, order)))).toThrow(
      expect.objectContaining({ code: 'pickle-big-endian' }),
    )
  })

  test('that tells no byte order, or that of another folder, is as mostly', () => {
    const [pickle] = torchZip(dict('a'), {})
    const other = { name: 'x/byteorder', bytes: new TextEncoder().encode('big') }
    expect(read(zip([pickle!])).names).toEqual(['a'])
    expect(read(zip([pickle!, other])).names).toEqual(['a'])
  })

  test('has its storages where they could begin at the earliest, where the header before them is not read', () => {
    const parts = torchZip(dict('a'), { 0: eight }).map((part) => ({ ...part, padding: 16 }))
    const startOf = (options?: TorchFileOptions) => read(zip(parts), options).storages.get('0')!.byteStart
    expect(startOf()).toBe(startOf({ areStoragesPlaced: true }))
    expect(startOf({ areStoragesPlaced: false })).toBe(startOf() - 16)
    expect(read(zip(parts), { areStoragesPlaced: false }).names).toEqual(['a'])
  })
})

describe('the older sequence of pickles', () => {
  const storage = { elements: 2, bytes: eight }

  test('has its storages behind them, each with its length', () => {
    const bytes = oldFile(dict('a'), { 0: storage })
    const { names, storages } = read(bytes)
    expect(names).toEqual(['a'])
    expect([...storages]).toEqual([['0', { byteStart: bytes.length - 8, byteEnd: bytes.length }]])
  })

  test('has all of its bytes', () => {
    const bytes = oldFile(dict('a'), { 0: storage })
    for (const [cut, code] of [
      [1, 'pickle-storage-outside'],
      [8, 'pickle-storage-outside'],
      [9, 'pickle-truncated'],
      [16, 'pickle-truncated'],
    ] as const)
      expect(() => read(bytes.slice(0, -cut))).toThrow(expect.objectContaining({ code }))
  })
})

test.each([
  ['nothing', []],
  ['the beginning of a pickle', [0x80, 2]],
  ['a pickle of something else', [0x80, 2, 0x4b, 5, 0x2e]],
  ['text', [0x41, 0x42]],
])('%s is no file of torch', (_, bytes) => {
  expect(() => read(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'pickle-format' }))
})

test('a pickle that torch did not write is told from what is none', () => {
  expect(() => read(Uint8Array.of(0x80, 2, 0x4b, 5, 0x2e))).toThrow('a pickle that torch.save did not write')
  expect(() => read(Uint8Array.of(1, 2, 0x4b, 5, 0x2e))).not.toThrow('a pickle')
})
