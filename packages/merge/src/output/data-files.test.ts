import { existsSync, statSync } from 'node:fs'
import { type FileHandle, open, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { canShare } from '../__fixtures__/can-share.ts'
import { useFolder } from '../__fixtures__/models.ts'
import type { DataFile } from '../plan/file-pieces.ts'
import { isLaidOut, layOut, shareFile } from './data-files.ts'

const folder = useFolder()
const pieces = [
  { byteStart: 0, bytes: Uint8Array.of(1, 2, 3) },
  { byteStart: 5, bytes: Uint8Array.of(4, 0) },
]
const file: DataFile = { name: 'w', fileBytes: 9, pieces: () => pieces }
const whole = [1, 2, 3, 0, 0, 4, 0, 0, 0]

/** A file of a system that writes a byte at a time. */
const slowly = (handle: FileHandle) =>
  ({
    write: (bytes: Uint8Array, from: number, _: number, to: number) => handle.write(bytes, from, 1, to),
    truncate: (byteCount: number) => handle.truncate(byteCount),
  }) as FileHandle

test.each([
  ['at once', (handle: FileHandle) => handle],
  ['a byte at a time', slowly],
])('a data file has its size and what is known of it, written %s', async (_, as) => {
  const path = join(folder.path, 'w')
  const handle = await open(path, 'w+')
  await layOut(as(handle), file)
  await handle.close()
  expect([...(await readFile(path))]).toEqual(whole)
  expect(await isLaidOut(path, file)).toBe(true)
})

test('a data file that is not there, has another size or other pieces is not laid out', async () => {
  const path = join(folder.path, 'w')
  expect(await isLaidOut(path, file)).toBe(false)
  const isLaidOutAs = async (bytes: readonly number[]) => {
    await writeFile(path, Uint8Array.from(bytes))
    return isLaidOut(path, file)
  }
  expect(await isLaidOutAs(whole)).toBe(true)
  // What is computed may be anything.
  expect(await isLaidOutAs(whole.with(3, 7).with(8, 7))).toBe(true)
  for (const at of [0, 2, 5, 6]) expect(await isLaidOutAs(whole.with(at, 9))).toBe(false)
  expect(await isLaidOutAs([...whole, 0])).toBe(false)
  // What ends before a byte that is known to be 0, too.
  for (const length of [8, 6, 1, 0]) {
    await writeFile(path, Uint8Array.from(whole))
    await truncate(path, length)
    expect(await isLaidOut(path, file)).toBe(false)
  }
})

test('a file shares the blocks of another one that has its size and pieces, where the file system can', async () => {
  const [from, to] = ['from', 'to'].map((name) => join(folder.path, name)) as [string, string]
  const share = () => shareFile({ from, to, mode: 0o640 }, file)
  await writeFile(from, Uint8Array.from(whole.with(3, 7)), { mode: 0o400 })
  const isShared = canShare(folder.path)
  expect(await share()).toBe(isShared)
  expect(existsSync(to)).toBe(isShared)
  const found = isShared ? { bytes: [...(await readFile(to))], mode: statSync(to).mode & 0o777 } : undefined
  expect(found).toEqual(isShared ? { bytes: whole.with(3, 7), mode: 0o640 } : undefined)
})

test.each<[string, () => Promise<void>]>([
  ['is not there', async () => {}],
  ['has another header', () => writeFile(join(folder.path, 'from'), Uint8Array.from(whole.with(0, 9)))],
  ['has another size', () => writeFile(join(folder.path, 'from'), Uint8Array.from([...whole, 0]))],
])('no file shares one that %s', async (_, write) => {
  await write()
  const [from, to] = ['from', 'to'].map((name) => join(folder.path, name)) as [string, string]
  expect(await shareFile({ from, to, mode: 0o644 }, file)).toBe(false)
  expect(existsSync(to)).toBe(false)
})
