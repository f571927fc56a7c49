import { createHash } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useFolder } from '../../__fixtures__/models.ts'
import { createFileHasher } from './file-hasher.ts'

const folder = useFolder()

test('a file that ends too early is gone on with where it ended', async () => {
  const file = join(folder.path, 'w')
  await writeFile(file, 'abcde')
  const hasher = createFileHasher(3)
  expect(() => hasher.advance(file, 8)).toThrow('it ends at 5')
  await appendFile(file, 'fgh')
  hasher.advance(file, 8)
  expect(hasher.digest(file)).toBe(createHash('sha256').update('abcdefgh').digest('hex'))
  hasher.close()
})

test('what the system says of a file has its name', () => {
  const hasher = createFileHasher(3)
  for (const [path, code] of [
    [folder.path, 'EISDIR'],
    [join(folder.path, 'none'), 'ENOENT'],
  ] as const)
    expect(() => hasher.advance(path, 1)).toThrow(expect.objectContaining({ code, path }))
  hasher.close()
})
