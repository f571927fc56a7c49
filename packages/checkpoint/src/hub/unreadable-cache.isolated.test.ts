import type * as source from '@mk/source'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openCachedModel } from './hub-cache.ts'
import { inspectSnapshot } from './inspect-snapshot.ts'

const broken = vi.hoisted(() => ({ name: '' }))
vi.mock('@mk/source', async (importOriginal) => {
  const original = await importOriginal<typeof source>()
  return {
    ...original,
    async readBytes(...given: Parameters<typeof original.readBytes>) {
      if (basename(given[1]) !== broken.name) return original.readBytes(...given)
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
    },
  }
})

const commit = 'c'.repeat(40)
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-cache-'))
  broken.name = ''
})
afterEach(() => rm(folder, { recursive: true }))

const unreadable = (file: string) => ({ code: 'unreadable-model', fault: 'failure', issue: { file } })
const open = () => openCachedModel(folder, 'org/model', 'main')
const put = async (path: string, text: string) => {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

it('a branch that cannot be read is an error, and one that was never asked for none', async () => {
  const cached = open()
  expect(await cached.readCommit('main')).toBeUndefined()
  const file = join(cached.folder, 'refs', 'main')
  await put(file, `${commit}\n`)
  expect(await cached.readCommit('main')).toBe(commit)
  broken.name = 'main'
  await expect(cached.readCommit('main')).rejects.toMatchObject(unreadable(file))
})

it('a branch may have the name of the folder of others', async () => {
  const cached = open()
  await put(join(cached.folder, 'refs', 'v1', 'beta'), commit)
  expect(await cached.readCommit('v1')).toBeUndefined()
  expect(await cached.readCommit('v1/beta')).toBe(commit)
})

it('a snapshot that cannot be listed is an error, and one that was never fetched has no files', async () => {
  const cached = open()
  expect(await cached.listSnapshot(commit)).toEqual([])
  await mkdir(join(cached.folder, 'snapshots'), { recursive: true })
  await symlink(commit, cached.snapshotFolder(commit))
  await expect(cached.listSnapshot(commit)).rejects.toMatchObject(unreadable(cached.snapshotFolder(commit)))
})

it('modules that cannot be read are an error, and not taken for there', async () => {
  const cached = open()
  const at = (name: string) => join(cached.snapshotFolder(commit), name)
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.json']) await put(at(name), '{}')
  await put(at('modules.json'), '[{"path": "1_Pooling"}]')
  const inspect = () => inspectSnapshot(cached, commit, { purpose: 'model' })
  expect(await inspect()).toMatchObject({ state: 'usable', doubt: 'folders of its modules are missing' })
  broken.name = 'modules.json'
  await expect(inspect()).rejects.toMatchObject(unreadable(at('modules.json')))
})
