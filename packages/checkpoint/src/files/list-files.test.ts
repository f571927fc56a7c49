import { refuseCall } from '@mk/errors'
import type { FileStore } from '@mk/source'
import { expect, test } from 'vitest'
import { listFiles } from './list-files.ts'
import { noteOutsideLinks } from './outside-links.ts'

/** A folder /m of these files; what is refused, and links, by path in it. */
function storeOf(
  files: Readonly<Record<string, string>>,
  {
    refused = {},
    links = {},
  }: { refused?: Readonly<Record<string, string>>; links?: Readonly<Record<string, string>> } = {},
): FileStore {
  const entries = new Map(Object.entries(files).map(([name, text]) => [`/m/${name}`, new TextEncoder().encode(text)]))
  const check = (path: string, call: string) => {
    const code = refused[`${call} ${path.slice(3)}`]
    if (code !== undefined) throw Object.assign(refuseCall('EIO', call, path), { code })
  }
  const isFolder = (path: string) => [...entries.keys()].some((name) => name.startsWith(`${path}/`)) || path === '/m'
  const store: Partial<FileStore> = {
    async list(folder) {
      const path = folder.replace(/\/$/, '')
      check(path, 'list')
      const inside = [...entries.keys()].filter((name) => name.startsWith(`${path}/`))
      return [...new Set(inside.map((name) => name.slice(path.length + 1).split('/')[0]!))].toReversed()
    },
    async stat(path) {
      check(path, 'stat')
      const bytes = entries.get(path)
      if (bytes !== undefined) return { kind: 'file', byteCount: bytes.length, state: '' }
      if (isFolder(path.replace(/\/$/, ''))) return { kind: 'folder', byteCount: 0, state: '' }
      throw refuseCall('ENOENT', 'stat', path)
    },
    async withFile(path, use) {
      check(path, 'open')
      const bytes = entries.get(path)!
      return use({
        byteCount: bytes.length,
        read: async (start, into) => {
          check(path, 'read')
          const found = bytes.subarray(start, start + into.length)
          into.set(found)
          return found.length
        },
      })
    },
    realPath: async (path) => links[path.slice(3)] ?? path,
  }
  return store as FileStore
}

const namesIn = async (store: FileStore, config = {}) =>
  (await listFiles(store, '/m', config)).files.map(({ name }) => name)

test('small files are listed in alphabetical order, with folders up to three deep', async () => {
  const deep = '1_Pooling/a/b/config.json'
  const store = storeOf({
    'vocab.json': '{}',
    'merges.txt': '',
    'model.safetensors': '',
    [deep]: '{}',
    '1_Pooling/a/b/c/config.json': '{}',
  })
  expect(await namesIn(store)).toEqual([deep, 'merges.txt', 'vocab.json'])
})

test.each(['EACCES', 'EPERM'])('a folder that may not be looked into (%s) is left out with a note', async (code) => {
  const files = { 'vocab.json': '{}', '1_Pooling/config.json': '{}' }
  const { files: found, notes } = await listFiles(storeOf(files, { refused: { 'list 1_Pooling': code } }), '/m', {})
  expect(found.map(({ name }) => name)).toEqual(['vocab.json'])
  expect(notes).toEqual(['/m: 1_Pooling/ may not be looked into, and is left out'])
})

test.each([
  ['list 1_Pooling', 'EIO', '/m/1_Pooling'],
  ['stat vocab.json', 'EIO', '/m/vocab.json'],
  ['open vocab.json', 'EMFILE', '/m/vocab.json'],
  ['read vocab.json', 'EIO', '/m/vocab.json'],
])('what fails otherwise (%s: %s) is an error that names it', async (call, code, file) => {
  const files = { 'vocab.json': '{}', '1_Pooling/config.json': '{}' }
  await expect(listFiles(storeOf(files, { refused: { [call]: code } }), '/m', {})).rejects.toMatchObject({
    code: 'unreadable-model',
    issue: { file },
  })
})

test('the model’s own folder must be there and open', async () => {
  const store = storeOf({ 'vocab.json': '{}' }, { refused: { 'list ': 'EACCES' } })
  await expect(listFiles(store, '/m', {})).rejects.toMatchObject({ code: 'unreadable-model' })
})

test.each(['EACCES', 'EPERM', 'ENOENT'])(
  'a file that may not be read (%s) is listed: it may not be copied',
  async (code) => {
    expect(await namesIn(storeOf({ 'vocab.json': '{}' }, { refused: { 'open vocab.json': code } }))).toEqual([
      'vocab.json',
    ])
  },
)

test('what is gone since its folder was listed is left out', async () => {
  expect(
    await namesIn(storeOf({ 'vocab.json': '{}', 'merges.txt': '' }, { refused: { 'stat vocab.json': 'ENOENT' } })),
  ).toEqual(['merges.txt'])
})

test('of very many entries the first ten thousand are looked at', async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `checkpoint_${String(index).padStart(5, '0')}.log`)
  const files = Object.fromEntries(names.map((name) => [name, '']))
  expect(await namesIn(storeOf({ ...files, 'vocab.json': '{}' }))).toEqual([])
  delete files[names[0]!]
  expect(await namesIn(storeOf({ ...files, 'vocab.json': '{}' }))).toEqual(['vocab.json'])
})

test('Python modules are listed where the config or a tokenizer brings code of its own', async () => {
  const code = { 'modeling_x.py': '', 'vocab.json': '{}' }
  expect(await namesIn(storeOf(code))).toEqual(['vocab.json'])
  expect(await namesIn(storeOf(code), { auto_map: {} })).toEqual(['modeling_x.py', 'vocab.json'])
  expect(await namesIn(storeOf({ ...code, 'tokenization_x.py': '' }))).toHaveLength(3)
})

test('what is not what its name says is listed as that', async () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\n'
  const { files } = await listFiles(storeOf({ 'vocab.json': pointer, 'merges.txt': '' }), '/m', {})
  expect(files.map(({ name, disguise }) => [name, disguise?.includes('Git LFS')])).toEqual([
    ['merges.txt', undefined],
    ['vocab.json', true],
  ])
})

test('links out of a model are noted, with the separators of either system', async () => {
  const store = (links: Readonly<Record<string, string>>) => storeOf({ a: '', b: '' }, { links })
  expect(await noteOutsideLinks(store({ a: '/m/b' }), '/m', ['/m/a', '/m/b'])).toEqual([])
  expect(await noteOutsideLinks(store({ a: '/mine/x' }), '/m', ['/m/a', '/m/b'])).toEqual([
    '/m: a link leads out of the model: a to /mine/x; it is followed',
  ])
  const windows = { '': 'C:\\m', a: 'C:\\m\\deep\\a', b: 'C:\\mine\\b' }
  expect(await noteOutsideLinks(store(windows), '/m', ['/m/a', '/m/b'])).toEqual([
    '/m: a link leads out of the model: b to C:\\mine\\b; it is followed',
  ])
  expect(await noteOutsideLinks(store({ ...windows, '': 'C:/m', a: 'C:/m/a' }), '/m', ['/m/a'])).toEqual([])
})
