import type * as fs from 'node:fs'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { useFolder } from '../__fixtures__/models.ts'
import { createOutputWriter } from './output-writer.ts'

const folder = useFolder()
const short = vi.hoisted(() => ({ maxBytes: Infinity }))

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  return {
    ...original,
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

test('names the file that it cannot write to', () => {
  const file = join(folder.path, 'none')
  expect(() => createOutputWriter().write(file, 0, Uint8Array.of(1))).toThrow(
    expect.objectContaining({ code: 'write-failed', issue: expect.objectContaining({ file }) }),
  )
})
