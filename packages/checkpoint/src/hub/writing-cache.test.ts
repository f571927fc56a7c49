import { expect, test } from 'vitest'
import { writingCache } from './writing-cache.ts'

const failing = (facts: object) =>
  writingCache('/cache/hub', () => Promise.reject(Object.assign(new Error('E'), { syscall: 'open', ...facts })))

test.each(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'])(
  '%s means that the cache may not be written',
  async (code) => {
    for (const path of ['/cache/hub/blobs/x', '/cache/hub', '/cache', undefined])
      await expect(failing({ errno: -1, code, path })).rejects.toMatchObject({
        code: 'hub-cache-unwritable',
        issue: { folder: '/cache/hub' },
      })
  },
)

test.each(['ENOSPC', 'EIO', 'EDQUOT'])('%s means that writing to it failed', async (code) => {
  await expect(failing({ errno: -1, code, path: '/cache/hub/x' })).rejects.toMatchObject({ code: 'hub-cache-failed' })
})

test('errors of other places, and those of no system, stay as they are', async () => {
  await expect(failing({ errno: -1, code: 'EACCES', path: '/elsewhere' })).rejects.toMatchObject({ code: 'EACCES' })
  await expect(failing({ code: 'EACCES', path: '/cache/hub/x' })).rejects.toMatchObject({ code: 'EACCES' })
  expect(await writingCache('/cache/hub', () => Promise.resolve(3))).toBe(3)
})
