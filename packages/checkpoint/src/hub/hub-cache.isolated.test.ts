import type * as fs from 'node:fs/promises'
import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openCachedModel } from './hub-cache.ts'

const refused = vi.hoisted(() => ({ symlink: false, link: false }))

/** A file system without links, as far as is asked for. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  const unless =
    <Args extends unknown[]>(name: keyof typeof refused, make: (...args: Args) => Promise<void>) =>
    async (...args: Args) => {
      if (refused[name]) throw Object.assign(new Error(name), { code: 'EPERM' })
      await make(...args)
    }
  return { ...original, symlink: unless('symlink', original.symlink), link: unless('link', original.link) }
})

const commit = 'c'.repeat(40)
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-cache-'))
})
afterEach(() => rm(folder, { recursive: true }))

it.each([
  ['a symbolic link', { symlink: false, link: false }, { isLink: true, count: 1 }],
  ['a link where there are no symbolic ones', { symlink: true, link: false }, { isLink: false, count: 2 }],
  ['a copy where there are none', { symlink: true, link: true }, { isLink: false, count: 1 }],
])('a blob gets its name by %s, once', async (_, refusals, made) => {
  Object.assign(refused, refusals)
  const cached = openCachedModel(folder, 'org/model', 'main')
  await mkdir(dirname(cached.blobFile('hash')), { recursive: true })
  await writeFile(cached.blobFile('hash'), 'bytes')
  for (let time = 0; time < 2; time++) {
    await cached.link(commit, 'deep/config.json', 'hash')
    const path = join(cached.snapshotFolder(commit), 'deep', 'config.json')
    expect(await readFile(path, 'utf8')).toBe('bytes')
    const facts = await lstat(path)
    expect({ isLink: facts.isSymbolicLink(), count: facts.nlink }).toEqual(made)
  }
  expect(await readFile(cached.blobFile('hash'), 'utf8')).toBe('bytes')
})
