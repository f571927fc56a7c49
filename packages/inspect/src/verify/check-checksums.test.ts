import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { inFolder } from '../__fixtures__/models.ts'
import { checkChecksums, findChecksums } from './check-checksums.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

it('reads each file once, and tells how far it is', () =>
  inFolder(async (folder) => {
    const bytes = Uint8Array.from({ length: 2 ** 21 + 5 }, (_, index) => index % 251)
    await writeFile(join(folder, 'w'), bytes)
    const seen: number[] = []
    const onRead = (byteCount: number) => void seen.push(byteCount)
    const check = (checksum: string, more = {}) =>
      checkChecksums({ folder, files: ['w'] }, new Map([['w', checksum]]), { threads: 0, onRead, ...more })
    expect(await check(sha256(bytes))).toEqual([])
    expect(seen).toEqual([2 ** 20, 2 ** 20, 5])
    const text = `w has the SHA-256 ${sha256(bytes)}, but README.md says ${'0'.repeat(64)}`
    expect(await check('0'.repeat(64))).toEqual([{ code: 'checksum', isDoubt: false, file: 'w', text }])
    await expect(check(sha256(bytes), { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  }))

it('names files without a checksum, and checksums without a file', () =>
  inFolder(async (folder) => {
    for (const name of ['v', 'w', 'x']) await writeFile(join(folder, name), name)
    const stated = new Map([
      ['v', sha256(Buffer.from('v'))],
      ['gone', sha256(Buffer.from('gone'))],
      // Not of the weights, so that it is no file of the output.
      ['x', sha256(Buffer.from('x'))],
    ])
    const faults = await checkChecksums({ folder, files: ['v', 'w'] }, stated, { threads: 0, onRead: () => {} })
    expect(faults.map(({ code, file }) => [code, file])).toEqual([
      ['file-missing', 'gone'],
      ['file-missing', 'x'],
      ['extra-file', 'w'],
    ])
  }))

it('finds no checksums where there is no card, or none of a file', () =>
  inFolder(async (folder) => {
    const find = (files: readonly string[], isFolder: boolean) =>
      findChecksums({ folder, isFolder, files, tensors: new Map(), config: undefined, faults: [] })
    expect(await find(['w'], true)).toBeUndefined()
    await writeFile(join(folder, 'README.md'), 'A model.')
    expect(await find(['w'], true)).toBeUndefined()
  }))
