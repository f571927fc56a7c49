import type * as fs from 'node:fs'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { useFolder } from '../__fixtures__/models.ts'
import { createOutputWriter } from './output-writer.ts'

const folder = useFolder()
const short = vi.hoisted(() => ({ maxBytes: Infinity }))
const open = vi.hoisted(() => ({ now: 0, most: 0 }))

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  return {
    ...original,
    openSync: (file: string, flags: string) => {
      open.most = Math.max(open.most, ++open.now)
      return original.openSync(file, flags)
    },
    closeSync: (fd: number) => {
      open.now--
      original.closeSync(fd)
    },
    writeSync: (fd: number, bytes: Uint8Array, offset: number, byteCount: number, position: number) =>
      original.writeSync(fd, bytes, offset, Math.min(byteCount, short.maxBytes), position),
  }
})

test.each([1, 3, 10, Infinity])('writes all bytes where the system takes %s at a time', (maxBytes) => {
  const file = join(folder.path, 'data')
  writeFileSync(file, new Uint8Array(14))
  const bytes = Uint8Array.from({ length: 10 }, (_, index) => index + 1)
  short.maxBytes = maxBytes
  const writer = createOutputWriter()
  writer.write(file, 2, bytes)
  writer.write(file, 12, Uint8Array.of(99))
  writer.close()
  expect([...readFileSync(file)]).toEqual([0, 0, ...bytes, 99, 0])
})

test('has few of many files open at once', () => {
  short.maxBytes = Infinity
  const files = Array.from({ length: 100 }, (_, index) => join(folder.path, `data-${index}`))
  for (const file of files) writeFileSync(file, new Uint8Array(2))
  const writer = createOutputWriter()
  for (const position of [0, 1]) for (const file of files) writer.write(file, position, Uint8Array.of(position + 1))
  writer.close()
  for (const file of files) expect([...readFileSync(file)]).toEqual([1, 2])
  expect(open.now).toBe(0)
  expect(open.most).toBeLessThan(50)
})

test('names the file that it cannot write to', () => {
  const file = join(folder.path, 'none')
  expect(() => createOutputWriter().write(file, 0, Uint8Array.of(1))).toThrow(
    expect.objectContaining({ code: 'write-failed', issue: expect.objectContaining({ file }) }),
  )
})
