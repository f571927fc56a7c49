import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { expect, it } from 'vitest'
import type { FileStore } from '@mk/source'
import { locatePath, looksLocal, splitHubFile } from './locate-path.ts'

it.each(['no/where', 'a\0b', '\0', 'file:///no/where'])('%j is absent, and no foreign error', async (path) => {
  expect(await locatePath(nodeFiles, path, [tmpdir()])).toEqual({ kind: 'absent', tried: [expect.any(String)] })
})

it('what the system refuses to look at is not taken for absent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'locate-path-'))
  try {
    await symlink('circle', join(folder, 'circle'))
    await expect(locatePath(nodeFiles, 'circle', [folder])).rejects.toMatchObject({ code: 'unreadable-model' })
    await expect(locatePath(nodeFiles, 'x'.repeat(300), [folder])).rejects.toThrow('a name in the path is too long')
  } finally {
    await rm(folder, { recursive: true })
  }
})

it.each([
  ['~', '/home/me'],
  ['~/models/a', '/home/me/models/a'],
  ['~\\a', '/home/me/\\a'],
  ['~a', '/root/~a'],
  ['a/~', '/root/a/~'],
])('%s is %s', async (path, tried) => {
  const store = {
    home: '/home/me',
    resolve: (folder: string, name: string) => (name.startsWith('/') ? name : `${folder}/${name}`),
    stat: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOENT', errno: -2, syscall: 'stat' })),
  } as unknown as FileStore
  expect(await locatePath(store, path, ['/root', '/root'])).toEqual({ kind: 'absent', tried: [tried] })
})

it.each([
  ['./a', true],
  ['../a', true],
  ['/a', true],
  ['~/a', true],
  ['C:\\a', true],
  ['C:/a', true],
  ['.', true],
  ['..', true],
  ['a\\b', true],
  ['a/', true],
  ['a/b/c', true],
  ['a.safetensors', true],
  ['a/b.gguf', true],
  ['a', false],
  ['a/b', false],
  ['a.b/c.d', false],
])('%s can only be a path: %s', (path, local) => {
  expect(looksLocal(path)).toBe(local)
})

it.each([
  ['a/b/c.gguf', { id: 'a/b', file: 'c.gguf' }],
  ['a/b/c/d.gguf', { id: 'a/b', file: 'c/d.gguf' }],
  ['a/b/../d.gguf', undefined],
  ['a/b.gguf', undefined],
  ['a/b/c.bin', undefined],
  ['~/b/c.gguf', undefined],
])('%s of the hub is %j', (path, found) => {
  expect(splitHubFile(path)).toEqual(found)
})
