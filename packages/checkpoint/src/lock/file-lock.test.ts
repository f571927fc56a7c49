import { execFileSync } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { tryLock, waitForLock } from './file-lock.ts'
import { identifyProcess } from './process-identity.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-lock-'))
  path = join(folder, 'lock')
})
afterEach(() => rm(folder, { recursive: true }))

const isTaken = (): Promise<boolean> =>
  waitForLock(path, AbortSignal.timeout(300)).then(
    async (lock) => {
      await lock.release()
      return false
    },
    () => true,
  )
const age = () => utimes(path, new Date(0), new Date(0))

test('one holds it, the next waits until it is released', async () => {
  const first = await waitForLock(path)
  expect(await isTaken()).toBe(true)
  const second = waitForLock(path)
  await first.release()
  await (await second).release()
  await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('released twice it takes nothing from the next, and one that cannot be read is left', async () => {
  const first = await waitForLock(path)
  await first.release()
  const second = await waitForLock(path)
  await first.release()
  expect(await second.isHeld()).toBe(true)
  await rm(path)
  await mkdir(path)
  await expect(second.release()).resolves.toBeUndefined()
  expect(await readdir(folder)).toEqual(['lock'])
})

test('where no file can be made it is an error', async () => {
  path = join(folder, 'none', 'lock')
  await expect(tryLock(path)).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(waitForLock(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('of many one at a time holds it', async () => {
  let holders = 0
  let most = 0
  await Promise.all(
    Array.from({ length: 5 }, async () => {
      const lock = await waitForLock(path)
      most = Math.max(most, ++holders)
      holders--
      await lock.release()
    }),
  )
  expect(most).toBe(1)
})

test('who does not wait is told who has it', async () => {
  const { lock } = await tryLock(path)
  expect(await tryLock(path)).toMatchObject({ owner: { host: identifyProcess().host, pid: process.pid } })
  await lock!.release()
})

describe('the lock of a process', () => {
  const put = (owner: object) => writeFile(path, JSON.stringify({ ...identifyProcess(), ...owner }))
  const runningPid = process.ppid
  const startedOf = (pid: number) =>
    process.platform === 'linux' ? execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' }).split(' ')[21] : ''

  test('that has died is taken over', async () => {
    await put({ pid: 2 ** 22 + 1 })
    expect(await isTaken()).toBe(false)
  })

  test.each([[0], [-1], [0.5]])('of the number %s, which none has, is taken over', async (pid) => {
    await put({ pid })
    expect(await isTaken()).toBe(false)
  })

  test('that ran earlier with the number of this one is taken over', async () => {
    await put({ session: 'x' })
    expect(await isTaken()).toBe(false)
  })

  test.skipIf(process.platform !== 'linux')('whose number another program has now is taken over', async () => {
    await put({ pid: runningPid, started: '1', session: 'x' })
    expect(await isTaken()).toBe(false)
  })

  test.skipIf(process.platform !== 'linux')('that runs here counts, however long it stood still', async () => {
    await put({ pid: runningPid, started: startedOf(runningPid), session: 'x' })
    await age()
    expect(await isTaken()).toBe(true)
  })

  test('of another machine or container counts as long as it is fresh', async () => {
    await put({ where: 'elsewhere', session: 'x' })
    expect(await isTaken()).toBe(true)
    await age()
    expect(await isTaken()).toBe(false)
    expect(await readdir(folder)).toEqual([])
  })

  test('of another machine counts where only the clock of this one is ahead', async () => {
    await put({ where: 'elsewhere', session: 'x' })
    const now = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 600_000)
    expect(await isTaken()).toBe(true)
    now.mockRestore()
  })
})

test('a lock that is being written is not taken over, one that never was is after a moment', async () => {
  await writeFile(path, '{"host"')
  expect(await isTaken()).toBe(true)
  expect(await readFile(path, 'utf8')).toBe('{"host"')
  await age()
  expect(await isTaken()).toBe(false)
})

test.each(['null', '"text"', '{"host": "h"}', '{"pid": 1}', '{"host": 1, "pid": 1}', '{"host": "h", "pid": "1"}'])(
  'a lock that says %s names nobody, so that a moment is waited for its owner',
  async (text) => {
    await writeFile(path, text)
    const old = (seconds: number) => utimes(path, new Date(), new Date(Date.now() - 1000 * seconds))
    await old(1)
    expect(await isTaken()).toBe(true)
    await old(3)
    expect(await isTaken()).toBe(false)
  },
)

test('that of another machine is left to it for two minutes, by the clock of the file system', async () => {
  await writeFile(path, JSON.stringify({ ...identifyProcess(), where: 'elsewhere' }))
  const old = (seconds: number) => utimes(path, new Date(), new Date(Date.now() - 1000 * seconds))
  await old(115)
  expect(await isTaken()).toBe(true)
  await old(125)
  expect(await isTaken()).toBe(false)
})

describe('a lock that is held', () => {
  afterEach(() => void vi.useRealTimers())

  test('is written anew every 20 s until it is released, so that its time is that of the file system', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const lock = await waitForLock(path)
    const text = await readFile(path, 'utf8')
    await age()
    vi.advanceTimersByTime(19_999)
    expect((await stat(path)).mtimeMs).toBe(0)
    vi.advanceTimersByTime(1)
    await expect.poll(async () => (await stat(path)).mtimeMs).toBeGreaterThan(0)
    expect(await readFile(path, 'utf8')).toBe(text)
    expect(vi.getTimerCount()).toBe(1)
    await lock.release()
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('who waits is told who has it, each time that is seen', async () => {
  const first = await waitForLock(path)
  const seen: number[] = []
  const second = waitForLock(path, undefined, async ({ pid }) => {
    seen.push(pid)
    if (seen.length === 2) await first.release()
  })
  await (await second).release()
  expect(seen).toEqual([process.pid, process.pid])
})

test('who has lost it is told, and does not release that of another', async () => {
  const first = await waitForLock(path)
  expect(await first.isHeld()).toBe(true)
  await rm(path)
  const second = await waitForLock(path)
  expect(await first.isHeld()).toBe(false)
  await first.release()
  expect(await second.isHeld()).toBe(true)
  await second.release()
})
