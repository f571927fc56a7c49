import { expect, test } from 'vitest'
import { abortableFiles, untilAborted } from './abortable-files.ts'
import type { FileStore } from './file-store.ts'

const store = {
  resolve: (...parts: readonly string[]) => parts.join('/'),
  list: async () => ['x'],
  stat: async (path: string) => ({ kind: 'file', path }),
  realPath: async (path: string) => `real ${path}`,
  withFile: (_path: string, use: (file: object) => Promise<unknown>) => use({ byteCount: 7, read: async () => 'read' }),
} as unknown as FileStore

test('a store answers until the signal has fired, then with its reason alone', async () => {
  const stop = new AbortController()
  const files = abortableFiles(store, stop.signal)
  expect(await files.list('f')).toEqual(['x'])
  expect(await files.stat('f')).toEqual({ kind: 'file', path: 'f' })
  expect(await files.realPath('f')).toBe('real f')
  expect(files.resolve('a', 'b')).toBe('a/b')
  const reading = files.withFile('x', async ({ byteCount, read }) => {
    expect(byteCount).toBe(7)
    expect(await read(0, new Uint8Array())).toBe('read')
    stop.abort('enough')
    return read(0, new Uint8Array())
  })
  await expect(reading).rejects.toBe('enough')
  for (const call of [files.list('f'), files.stat('f'), files.realPath('f'), files.withFile('f', async () => 1)])
    await expect(call).rejects.toBe('enough')
})

test('the reason of the signal is what is thrown, whatever was made of it', async () => {
  const stop = new AbortController()
  const fails = () => Promise.reject(new Error('of the store'))
  await expect(untilAborted(stop.signal, fails)).rejects.toThrow('of the store')
  expect(await untilAborted(stop.signal, async () => 1)).toBe(1)
  expect(await untilAborted(undefined, async () => 2)).toBe(2)
  await expect(
    untilAborted(stop.signal, async () => {
      stop.abort('enough')
      return 3
    }),
  ).rejects.toBe('enough')
  let isRun = false
  await expect(
    untilAborted(stop.signal, async () => {
      isRun = true
    }),
  ).rejects.toBe('enough')
  expect(isRun).toBe(false)
})
