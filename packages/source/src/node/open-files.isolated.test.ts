import type * as fs from 'node:fs'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import { createOpenFiles } from './open-files.ts'

const piece = 2 ** 18

/** A clock that only reading moves, the blocks that come from a disk, and what is read in the background. */
const system = vi.hoisted(() => ({
  now: 0,
  readMs: 0,
  blocks: 0,
  isDisk: true,
  ahead: [] as (readonly [start: number, byteCount: number])[],
}))

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  return {
    ...original,
    readSync: (...call: Parameters<typeof fs.readSync>) => {
      system.now += system.readMs
      // A block has 512 bytes.
      system.blocks += system.isDisk ? piece / 512 : 1
      return original.readSync(...call)
    },
    read: (
      ...call: [fd: number, into: Uint8Array, offset: number, byteCount: number, start: number, done: () => void]
    ) => {
      const [, , , byteCount, start, done] = call
      system.ahead.push([start, byteCount])
      done()
    },
  }
})

const folder = mkdtempSync(join(tmpdir(), 'mk-open-files-'))
const file = join(folder, 'data')
writeFileSync(file, new Uint8Array(8 * piece))

beforeEach(() => {
  vi.spyOn(performance, 'now').mockImplementation(() => system.now)
  const usage = process.resourceUsage()
  vi.spyOn(process, 'resourceUsage').mockImplementation(() => ({ ...usage, fsRead: system.blocks }))
  system.ahead = []
  system.readMs = 0
  system.isDisk = true
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

test('brings what follows a slow read ahead, for a while also after quick ones', () => {
  const files = createOpenFiles()
  const into = new Uint8Array(piece)
  system.readMs = 1
  files.read(file, piece, into)
  system.readMs = 0
  files.read(file, 2 * piece, into)
  expect(system.ahead).toEqual([
    [2 * piece, piece],
    [3 * piece, piece],
  ])
  for (let count = 0; count < 100; count++) files.read(file, 0, into)
  expect(system.ahead).toHaveLength(64)
  files.close()
})

test('reads nothing ahead where reads are as quick as from memory, or short', () => {
  const files = createOpenFiles()
  files.read(file, 0, new Uint8Array(piece))
  system.readMs = 1000
  files.read(file, 0, new Uint8Array(piece - 1))
  expect(system.ahead).toEqual([])
  files.close()
})

test('reads nothing ahead where reads are slow since the machine is busy', () => {
  const files = createOpenFiles()
  system.isDisk = false
  system.readMs = 1000
  files.read(file, 0, new Uint8Array(piece))
  files.read(file, piece, new Uint8Array(piece))
  expect(system.ahead).toEqual([])
  files.close()
})

test('reads at most 4 MiB ahead, whatever is read at once', () => {
  const long = join(folder, 'long')
  writeFileSync(long, new Uint8Array(2 ** 23))
  const files = createOpenFiles()
  system.readMs = 1000
  system.blocks += 2 ** 14
  files.read(long, 0, new Uint8Array(2 ** 23))
  expect(system.ahead).toEqual([[2 ** 23, 2 ** 22]])
  files.close()
})
