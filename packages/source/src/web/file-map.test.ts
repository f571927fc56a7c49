import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readBytes, readStart } from '../read/file-store.ts'
import { createFileMap } from './file-map.ts'
import type { MappedFile } from './mapped-file.ts'

const bytes = Uint8Array.from({ length: 100 }, (_, index) => index)
const store = createFileMap(
  new Map<string, MappedFile>([
    ['/a/config.json', bytes.subarray(0, 3)],
    ['/a/sub/x.bin', new Blob([bytes])],
    ['/b.safetensors', bytes],
    ['/empty', new Uint8Array(0)],
  ]),
)

describe('a map of files', () => {
  test('has the folders that its files are in', async () => {
    expect(await store.list('/')).toEqual(['a', 'b.safetensors', 'empty'])
    expect(await store.list('/a')).toEqual(['config.json', 'sub'])
    expect(await store.stat('/a')).toMatchObject({ kind: 'folder' })
    expect(await store.stat('/a/sub/x.bin')).toMatchObject({ kind: 'file', byteCount: 100 })
    expect(store.resolve('/a', '../b.safetensors')).toBe('/b.safetensors')
    expect(store.resolve('/a', '/a/./sub')).toBe('/a/sub')
  })

  test('reads parts of what it has, wherever that is', async () => {
    expect(await readStart(store, '/a/sub/x.bin', 4)).toEqual(bytes.subarray(0, 4))
    expect(await readBytes(store, '/a/sub/x.bin', 100)).toEqual(bytes)
    expect(await readBytes(store, '/b.safetensors', 100)).toEqual(bytes)
    expect(await readBytes(store, '/empty', 100)).toEqual(new Uint8Array(0))
  })

  test.each([
    ['a path that is not there', '/a/none', { code: 'ENOENT', path: '/a/none' }],
    ['a file in the middle of a path', '/b.safetensors/x', { code: 'ENOTDIR' }],
    ['a folder in the place of a file', '/a/sub', { code: 'EISDIR' }],
  ])('refuses %s as an operating system does', async (_, path, error) => {
    await expect(readBytes(store, path, 100)).rejects.toMatchObject({ syscall: expect.any(String), ...error })
  })

  test('lists no file', async () => {
    await expect(store.list('/b.safetensors')).rejects.toMatchObject({
      code: 'ENOTDIR',
      syscall: 'scandir',
      path: '/b.safetensors',
    })
  })

  test('tells the state of a file by what would change with it', async () => {
    const changed = Object.assign(new Blob([bytes]), { lastModified: 5 })
    const remote = { url: 'https://x.org/f', byteCount: 7 }
    const files = new Map<string, MappedFile>([
      ['/d/memory', bytes],
      ['/d/chosen', changed],
      ['/d/remote', remote],
    ])
    const states = ['/d/memory', '/d/chosen', '/d/remote', '/d'].map(async (path) => {
      const { kind, byteCount, state } = await createFileMap(files).stat(path)
      return [kind, byteCount, state]
    })
    expect(await Promise.all(states)).toEqual([
      ['file', 100, '100'],
      ['file', 100, '100,5'],
      ['file', 7, '7,https://x.org/f'],
      ['folder', 0, 'folder'],
    ])
  })

  test('names a chosen file that was changed since', async () => {
    const cause = new Error('gone')
    const gone = Object.assign(new Blob([bytes]), { slice: () => ({ arrayBuffer: () => Promise.reject(cause) }) })
    await expect(readBytes(createFileMap(new Map([['/x', gone]])), '/x', 100)).rejects.toMatchObject({
      code: 'EIO',
      syscall: 'read',
      path: '/x',
      cause,
    })
  })

  test('reads at most to the end', async () => {
    const read = (start: number, count: number) =>
      store.withFile('/b.safetensors', async (file) => {
        const into = new Uint8Array(count)
        return [await file.read(start, into), ...into]
      })
    expect(await read(98, 4)).toEqual([2, 98, 99, 0, 0])
    expect(await read(99, 1)).toEqual([1, 99])
    expect(await read(100, 2)).toEqual([0, 0, 0])
  })

  test('refuses what is longer than it may be', async () => {
    await expect(readBytes(store, '/b.safetensors', 99)).rejects.toMatchObject({ code: 'file-too-long' })
  })
})

describe('a blob, read at once', () => {
  const slices: [number, number][] = []
  beforeEach(() => {
    slices.length = 0
    // What workers of a browser have.
    vi.stubGlobal(
      'FileReaderSync',
      class {
        readAsArrayBuffer = ({ content }: { readonly content: Uint8Array }) => content.slice().buffer
      },
    )
  })
  afterEach(() => vi.unstubAllGlobals())

  class SlicedBlob extends Blob {
    override slice(start: number, end: number): Blob {
      slices.push([start, end])
      return { content: bytes.subarray(start, end) } as never
    }
  }

  const open = () =>
    createFileMap(new Map([['/x', new SlicedBlob([bytes])]]), { mostBytes: 32, firstBytes: 8, files: 2 }).openFiles()

  test('is sliced ever larger while reading goes on, and no more than is needed elsewhere', () => {
    const files = open()
    const read = (start: number, count: number) => {
      const into = new Uint8Array(count)
      files.read('/x', start, into)
      expect(into).toEqual(bytes.slice(start, start + count))
    }
    for (let start = 0; start < 60; start += 4) read(start, 4)
    expect(slices).toEqual([
      [0, 8],
      [8, 24],
      [24, 56],
      [56, 88],
    ])
    slices.length = 0
    read(90, 2)
    read(10, 50)
    read(20, 3)
    expect(slices).toEqual([
      [90, 98],
      [10, 42],
      [42, 74],
      [20, 28],
    ])
  })

  test('keeps a window of as many files as it may, those that were read last', () => {
    const names = ['/x', '/y', '/z']
    const files = createFileMap(new Map(names.map((name) => [name, new SlicedBlob([bytes])])), {
      mostBytes: 32,
      firstBytes: 8,
      files: 2,
    }).openFiles()
    const read = (name: string) => files.read(name, 0, new Uint8Array(2))
    for (const name of ['/x', '/y', '/x', '/z']) read(name)
    expect(slices).toHaveLength(3)
    read('/y')
    read('/z')
    expect(slices).toHaveLength(3)
    read('/x')
    expect(slices).toHaveLength(4)
    files.close()
    read('/x')
    expect(slices).toHaveLength(5)
  })

  test('may be read to its last byte, and bytes in memory as well', () => {
    const files = createFileMap(
      new Map<string, MappedFile>([
        ['/x', new SlicedBlob([bytes])],
        ['/m', bytes],
      ]),
    ).openFiles()
    for (const name of ['/x', '/m']) {
      const into = new Uint8Array(4)
      files.read(name, 96, into)
      expect([...into]).toEqual([96, 97, 98, 99])
    }
    expect(() => files.read('/m', 97, new Uint8Array(4))).toThrow(expect.objectContaining({ code: 'file-ended' }))
  })

  test('that was moved or changed since it was chosen is named', () => {
    vi.stubGlobal(
      'FileReaderSync',
      class {
        readAsArrayBuffer() {
          throw new Error('NotReadableError')
        }
      },
    )
    expect(() => open().read('/x', 0, new Uint8Array(3))).toThrow(
      expect.objectContaining({
        code: 'unreadable-file',
        issue: {
          code: 'unreadable-file',
          file: '/x',
          reason: 'it was moved, deleted or changed since it was chosen',
        },
      }),
    )
  })

  test('that ends early, or is not there, is named', () => {
    expect(() => open().read('/x', 98, new Uint8Array(3))).toThrow(
      expect.objectContaining({
        code: 'file-ended',
        issue: { code: 'file-ended', file: '/x', byte: 100, byteEnd: 101 },
      }),
    )
    expect(() => open().read('/y', 0, new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'unreadable-file' }))
  })
})

describe('a file of a server', () => {
  let answer: { readonly status: number; readonly ranges: boolean }
  let asked: (string | undefined)[]
  const server = createServer((request, response) => {
    asked.push(request.headers.range)
    const [, start, end] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? []
    if (answer.status !== 200) return response.writeHead(answer.status).end('no')
    if (answer.ranges) return response.writeHead(206).end(bytes.subarray(Number(start), Number(end) + 1))
    return response.writeHead(200).end(bytes)
  })
  beforeEach(async () => {
    asked = []
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))
  const remote = () =>
    createFileMap(
      new Map([['/r', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/r`, byteCount: 100 }]]),
    )

  test('is asked for the range that is wanted, by one that knows ranges or none', async () => {
    answer = { status: 200, ranges: true }
    expect(await readStart(remote(), '/r', 5)).toEqual(bytes.subarray(0, 5))
    answer = { status: 200, ranges: false }
    expect(await readStart(remote(), '/r', 5)).toEqual(bytes.subarray(0, 5))
    expect(asked).toEqual(['bytes=0-4', 'bytes=0-4'])
  })

  test('that is refused says how the server answered', async () => {
    answer = { status: 404, ranges: true }
    await expect(readStart(remote(), '/r', 5)).rejects.toThrow('the server answered 404')
    expect(asked).toHaveLength(1)
  })
})
