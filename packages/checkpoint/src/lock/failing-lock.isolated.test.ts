import type * as safetensors from '@mk/safetensors/node'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { tryLock } from './file-lock.ts'
import { identifyProcess } from './process-identity.ts'

/** What comes of the next times that a lock is read, if not what it holds. */
const reads = vi.hoisted((): (() => Promise<Buffer>)[] => [])
vi.mock('@mk/safetensors/node', async (importOriginal) => {
  const original = await importOriginal<typeof safetensors>()
  return {
    ...original,
    readBytes: (...given: Parameters<typeof original.readBytes>) => (reads.shift() ?? original.readBytes)(...given),
  }
})

const failed = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code, syscall: 'open' }))
const faults = {
  'is not found': failed('ENOENT'),
  fails: failed('EIO'),
  'finds a file that shrank': () => Promise.reject(new Error('shrank')),
  'sees nothing': () => Promise.resolve(Buffer.of()),
}

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-failing-lock-'))
  path = join(folder, 'lock')
  reads.length = 0
})
afterEach(() => rm(folder, { recursive: true }))

test.each(Object.entries(faults))('is taken, held and released where one look at it %s', async (_, fault) => {
  reads.push(fault)
  const { lock } = await tryLock(path)
  reads.push(fault)
  expect(await lock!.isHeld()).toBe(true)
  reads.push(fault)
  await lock!.release()
  expect(await readdir(folder)).toEqual([])
})

test('that can never be read is an error, and is not left', async () => {
  reads.push(faults.fails, faults.fails)
  await expect(tryLock(path)).rejects.toMatchObject({ code: 'EIO' })
  expect(await readdir(folder)).toEqual([])
})

test.each(['fails', 'is not found', 'finds a file that shrank'] as const)(
  'of another is left to it where looking at it %s',
  async (fault) => {
    const { lock } = await tryLock(path)
    reads.push(faults[fault])
    await tryLock(path).catch(() => {})
    expect(await lock!.isHeld()).toBe(true)
    await lock!.release()
    expect(await readdir(folder)).toEqual([])
  },
)

const holding = (owner: object) => Buffer.from(JSON.stringify({ ...identifyProcess(), ...owner }))

test('that another has got before its name was written is that one’s', async () => {
  const other = holding({ where: 'elsewhere', host: 'other', pid: 7 })
  const read = () => Promise.resolve(other)
  reads.push(read, read, read)
  expect(await tryLock(path)).toMatchObject({ owner: { host: 'other', pid: 7 } })
})

test('that another has taken while it was found abandoned is put back', async () => {
  const alive = holding({ where: 'elsewhere', host: 'other', pid: 7 })
  await writeFile(path, alive)
  reads.push(() => Promise.resolve(holding({ session: 'of one that is gone' })))
  expect(await tryLock(path)).toMatchObject({ owner: { host: 'other', pid: 7 } })
  expect(await readFile(path)).toEqual(alive)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('that another has removed while it was found abandoned is free', async () => {
  const { lock: first } = await tryLock(path)
  reads.push(async () => {
    await rm(path)
    return holding({ session: 'of one that is gone' })
  })
  const { lock } = await tryLock(path)
  expect([await lock!.isHeld(), await first!.isHeld()]).toEqual([true, false])
  await lock!.release()
  await first!.release()
  expect(await readdir(folder)).toEqual([])
})
