import type * as fs from 'node:fs/promises'
import { type FileHandle, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { readTensor } from './read.ts'
import { createSafetensorsWriter } from './write.ts'

/** Files of which the system reads and writes two bytes at a time. */
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof fs>()
  const ofFew = (handle: FileHandle): FileHandle =>
    Object.assign(Object.create(handle) as FileHandle, {
      read: (bytes: Uint8Array, offset: number, byteCount: number, position: number) =>
        handle.read(bytes, offset, Math.min(byteCount, 2), position),
      write: (bytes: Uint8Array, offset: number, byteCount: number, position: number) =>
        handle.write(bytes, offset, Math.min(byteCount, 2), position),
      stat: () => handle.stat(),
      truncate: (byteCount: number) => handle.truncate(byteCount),
      sync: () => handle.sync(),
      close: () => handle.close(),
    })
  return {
    ...original,
    open: async (...given: Parameters<typeof original.open>) => ofFew(await original.open(...given)),
  }
})

it('writes and reads all bytes where the system takes and gives few at a time', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'safetensors-'))
  try {
    const path = join(folder, 'out.safetensors')
    const writer = await createSafetensorsWriter(path, [
      { name: 'a', dtype: 'U8', shape: [7] },
      { name: 'b', dtype: 'U8', shape: [3] },
    ])
    await writer.write('a', 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7))
    await writer.write('b', 0, Uint8Array.of(8, 9, 10))
    await writer.finish()
    expect([...(await readTensor(path, 'a'))]).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect([...(await readTensor(path, 'b'))]).toEqual([8, 9, 10])
  } finally {
    await rm(folder, { recursive: true })
  }
})
