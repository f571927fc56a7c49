import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { expect, it } from 'vitest'
import { locatePath } from './locate-path.ts'

it.each(['no/where', 'a\0b', '\0', 'file:///no/where'])('%j is absent, and no foreign error', async (path) => {
  expect(await locatePath(nodeFiles, path, [tmpdir()])).toEqual({ kind: 'absent', tried: [expect.any(String)] })
})

it('what the system refuses to look at is not taken for absent', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'locate-path-'))
  try {
    await symlink('circle', join(folder, 'circle'))
    await expect(locatePath(nodeFiles, 'circle', [folder])).rejects.toMatchObject({ code: 'unreadable-model' })
    await expect(locatePath(nodeFiles, 'x'.repeat(300), [folder])).rejects.toThrow('a name in the path is too long')
  } finally {
    await rm(folder, { recursive: true })
  }
})
