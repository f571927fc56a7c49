import { describe, expect, test } from 'vitest'
import { createFolderSink } from './folder-sink.ts'
import type { WebFolder } from './web-folder.ts'

type Tree = Map<string, Tree | Uint8Array>

/** A folder as browsers have it, in memory. */
function folderOf(tree: Tree, isShared = false): WebFolder {
  const missing = (name: string) => Object.assign(new Error(name), { name: 'NotFoundError' })
  return {
    async getFileHandle(name) {
      let bytes = new Uint8Array(0)
      const resize = (size: number) => {
        const longer = new Uint8Array(size)
        longer.set(bytes.subarray(0, size))
        bytes = longer
      }
      const put = (position: number, data: Uint8Array) => {
        if (position + data.length > bytes.length) resize(position + data.length)
        bytes.set(data, position)
      }
      return {
        createWritable: async () => ({
          write: async ({ position, data }) => put(position, data),
          truncate: async (size) => resize(size),
          close: async () => void tree.set(name, bytes),
          abort: async () => {},
        }),
        createSyncAccessHandle: async (options) => ({
          ...(isShared && options),
          // Two bytes at a time, as a system may.
          write: (data, { at }) => {
            put(at, data.subarray(0, 2))
            return Math.min(2, data.length)
          },
          truncate: resize,
          close: () => void tree.set(name, bytes),
        }),
      }
    },
    async getDirectoryHandle(name, { create }) {
      const found = tree.get(name)
      if (found instanceof Uint8Array) throw Object.assign(new Error(name), { name: 'TypeMismatchError' })
      if (found === undefined && !create) throw missing(name)
      const folder = found ?? new Map()
      tree.set(name, folder)
      return folderOf(folder, isShared)
    },
    async removeEntry(name) {
      if (!tree.delete(name)) throw missing(name)
    },
    async *keys() {
      yield* tree.keys()
    },
  }
}

describe.each([true, false])('a folder that is written at once: %s', (direct) => {
  test('gets files at their full size, in folders of theirs', async () => {
    const tree: Tree = new Map()
    const sink = await createFolderSink(folderOf(tree), 'out', { direct })
    const file = await sink.open('1_Pooling/config.json', 6)
    await file.write(2, Uint8Array.of(1, 2, 3))
    await file.close()
    await sink.complete()
    expect(tree).toEqual(
      new Map([['out', new Map([['1_Pooling', new Map([['config.json', Uint8Array.of(0, 0, 1, 2, 3, 0)]])]])]]),
    )
  })

  test('is taken away where the merge is discarded', async () => {
    const tree: Tree = new Map([['other', Uint8Array.of(1)]])
    const sink = await createFolderSink(folderOf(tree), 'out', { direct })
    await sink.open('model.safetensors', 6)
    await sink.discard()
    expect([...tree.keys()]).toEqual(['other'])
  })
})

test.each([
  ['files', new Map([['mine.txt', Uint8Array.of(1)]])],
  ['a file', Uint8Array.of(1)],
])('%s of that name stay, unless they may be replaced', async (_, content) => {
  const tree: Tree = new Map([['out', content]])
  await expect(createFolderSink(folderOf(tree), 'out')).rejects.toMatchObject({ code: 'output-exists' })
  expect(tree.get('out')).toBe(content)
  await createFolderSink(folderOf(tree), 'out', { overwrite: true })
  expect(tree.get('out')).toEqual(new Map())
})

test.each([true, false])(
  'workers get a file to write by themselves where it can be opened by several: %s',
  async (isShared) => {
    const sink = await createFolderSink(folderOf(new Map(), isShared), 'out', { direct: true })
    const { shared } = await sink.open('model.safetensors', 6)
    expect(shared !== undefined).toBe(isShared)
  },
)

test('what a worker that was ended still holds is taken away a moment later', async () => {
  const tree: Tree = new Map()
  const folder = folderOf(tree)
  const sink = await createFolderSink(folder, 'out')
  let refusals = 3
  const { removeEntry } = folder
  folder.removeEntry = async (name) => {
    if (refusals-- > 0) throw Object.assign(new Error('locked'), { name: 'NoModificationAllowedError' })
    return removeEntry(name)
  }
  await sink.discard()
  expect([refusals, tree.size]).toEqual([-1, 0])
})
