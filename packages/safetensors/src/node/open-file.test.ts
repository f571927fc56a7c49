import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBytes, readSafetensorsHeader } from './index.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'open-file-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe.skipIf(process.platform === 'win32')('what is no regular file', () => {
  it('does not wait for a pipe', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    await expect(readSafetensorsHeader(pipe)).rejects.toMatchObject({ code: 'not-a-file', fault: 'usage' })
    await expect(readBytes(pipe, 10)).rejects.toThrow(`${pipe}: is a pipe; expected a regular file`)
  })

  it('does not read a device, also behind a link', async () => {
    await symlink('/dev/zero', join(folder, 'zeros'))
    await expect(readBytes(join(folder, 'zeros'), 10)).rejects.toThrow('is a device')
    await expect(readSafetensorsHeader(join(folder, 'zeros'))).rejects.toMatchObject({ code: 'not-a-file' })
  })

  it('leaves folders and missing files to the operating system', async () => {
    await expect(readBytes(folder, 1e6)).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(readBytes(join(folder, 'absent'), 10)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

it('reads all of a file up to a limit, and refuses a longer one', async () => {
  const file = join(folder, 'text')
  await writeFile(file, 'abc')
  expect((await readBytes(file, 3)).toString()).toBe('abc')
  await expect(readBytes(file, 2)).rejects.toMatchObject({ code: 'file-too-long', issue: { bytes: 3, limit: 2 } })
})

it.skipIf(process.platform !== 'linux')('leaves no file open, read or refused', async () => {
  const file = join(folder, 'short')
  await writeFile(file, 'abc')
  const openCount = async () => (await readdir('/proc/self/fd')).length
  const before = await openCount()
  for (let i = 0; i < 20; i++) {
    await readBytes(file, 3)
    await readBytes(file, 2).catch(() => {})
    await readBytes('/dev/zero', 2).catch(() => {})
  }
  expect(await openCount()).toBeLessThan(before + 10)
})
