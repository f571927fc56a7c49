import type * as fs from 'node:fs/promises'
import { type FileHandle, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { readBytes, readStart } from './index.ts'

/** How many bytes the system gives in all, and at a time. */
const system = vi.hoisted(() => ({ ends: Infinity, atOnce: Infinity }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  const limited = (handle: FileHandle): FileHandle =>
    Object.assign(Object.create(handle) as FileHandle, {
      read: (bytes: Uint8Array, offset: number, byteCount: number, position: number) =>
        handle.read(bytes, offset, Math.max(0, Math.min(byteCount, system.atOnce, system.ends - position)), position),
      readFile: async () => (await handle.readFile()).subarray(0, system.ends),
      stat: () => handle.stat(),
      close: () => handle.close(),
    })
  return {
    ...original,
    open: async (...given: Parameters<typeof original.open>) => limited(await original.open(...given)),
  }
})

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'short-reads-'))
  path = join(folder, 'card')
  await writeFile(path, 'abcdefg')
})
afterAll(() => rm(folder, { recursive: true }))

it('reads on where the system gives few bytes at a time', async () => {
  Object.assign(system, { ends: Infinity, atOnce: 2 })
  expect(String(await readStart(path, 100))).toBe('abcdefg')
  expect(String(await readStart(path, 3))).toBe('abc')
  expect(String(await readBytes(path, 7))).toBe('abcdefg')
})

it.each([0, 1, 6])('takes the first %s bytes for no whole file', async (ends) => {
  Object.assign(system, { ends, atOnce: Infinity })
  const shrank = { code: 'file-shrank', issue: { byte: ends }, fault: 'failure' }
  await expect(readBytes(path, 100)).rejects.toMatchObject(shrank)
  await expect(readStart(path, 100)).rejects.toMatchObject(shrank)
  await expect(readStart(path, 7)).rejects.toThrow(`${path}: ends at byte ${ends}; it was longer when it was opened`)
})

it('needs no byte past the beginning that is asked for', async () => {
  Object.assign(system, { ends: 3, atOnce: Infinity })
  expect(String(await readStart(path, 3))).toBe('abc')
})
