import { access, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockBlob } from './blob-lock.ts'

let folder: string
let blob: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-lock-'))
  blob = join(folder, 'blob')
})
afterEach(() => rm(folder, { recursive: true }))

const abandon = (owner: unknown) =>
  writeFile(`${blob}.mk.lock`, typeof owner === 'string' ? owner : JSON.stringify(owner))
const isTaken = (): Promise<boolean> =>
  lockBlob(blob, AbortSignal.timeout(300)).then(
    () => false,
    () => true,
  )

test('one holds it, the next waits until it is released', async () => {
  const first = await lockBlob(blob)
  expect(await isTaken()).toBe(true)
  const second = lockBlob(blob)
  await first.release()
  await (await second).release()
  await expect(access(`${blob}.mk.lock`)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('of many one at a time holds it', async () => {
  let holders = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await lockBlob(blob)
      most = Math.max(most, ++holders)
      holders--
      await lock.release()
    }),
  )
  expect(most).toBe(1)
})

test('the lock of a process that has died is taken over', async () => {
  await abandon({ host: hostname(), pid: 2 ** 22 + 1, session: 'x' })
  expect(await isTaken()).toBe(false)
})

test('the lock of an earlier process with the same number is taken over', async () => {
  await abandon({ host: hostname(), pid: process.pid, session: 'x' })
  expect(await isTaken()).toBe(false)
})

test('the lock of another machine counts as long as it is fresh', async () => {
  await abandon({ host: 'elsewhere', pid: 1, session: 'x' })
  expect(await isTaken()).toBe(true)
  await utimes(`${blob}.mk.lock`, new Date(0), new Date(0))
  expect(await isTaken()).toBe(false)
})

test('a lock that is being written is not taken over', async () => {
  await abandon('{"host"')
  expect(await isTaken()).toBe(true)
  expect(await readFile(`${blob}.mk.lock`, 'utf8')).toBe('{"host"')
})
