import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, it } from 'vitest'
import { ifPresent, isSystemError, namingFile, systemReason } from './index.ts'

const errorOf = (run: () => Promise<unknown>) =>
  run().then(
    () => undefined,
    (error: unknown) => error as NodeJS.ErrnoException,
  )

it('knows what the system refused, and says why without the call', async () => {
  const error = await errorOf(() => readFile(tmpdir()))
  expect(isSystemError(error)).toBe(true)
  expect(systemReason(error)).toBe('it is a folder, not a file')
  expect(
    systemReason(
      Object.assign(new Error('EXDEV: cross-device link not permitted, rename'), { code: 'EXDEV', syscall: 'rename' }),
    ),
  ).toBe('cross-device link not permitted')
})

it.each([new Error('mine'), new TypeError('x'), 'text', undefined])('%s is none, and stands for itself', (error) => {
  expect(isSystemError(error)).toBe(false)
  expect(systemReason(error)).toBe(error instanceof Error ? error.message : String(error))
})

it('takes what is not there for absent, and nothing else', async () => {
  expect(await ifPresent(readFile('/nowhere/at/all'))).toBeUndefined()
  expect(await ifPresent(Promise.resolve(0))).toBe(0)
  await expect(ifPresent(readFile(tmpdir()))).rejects.toMatchObject({ code: 'EISDIR' })
  await expect(ifPresent(Promise.reject(new Error('mine')))).rejects.toThrow('mine')
})

it('names the file where the call knew a number only', async () => {
  const handle = await open(tmpdir())
  try {
    const read = () => namingFile('model.safetensors', () => handle.read(new Uint8Array(1), 0, 1, 0))
    expect(await errorOf(read)).toMatchObject({ code: 'EISDIR', path: 'model.safetensors' })
  } finally {
    await handle.close()
  }
  const other = () => namingFile('a', () => readFile('/nowhere/b'))
  expect((await errorOf(other))?.path).toBe('/nowhere/b')
})
