import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCheckpoint } from '@mk/checkpoint'
import { expect, test } from 'vitest'
import { oldTorchFile, torchEntries } from './torch-bytes.mjs'
import { zipFile } from './zip-bytes.mjs'

const shapes = { a: [2, 3], b: [4], c: [] }

test.each([
  ['torch’s old format', oldTorchFile(shapes)],
  ['torch’s zip', zipFile(torchEntries(shapes))],
])('what is mutated is a whole file before: %s', async (_, bytes) => {
  const folder = mkdtempSync(join(tmpdir(), 'mk-torch-'))
  writeFileSync(join(folder, 'a.bin'), bytes)
  const { tensors } = await openCheckpoint({ path: join(folder, 'a.bin'), adapters: [] }, { roots: [folder] })
  rmSync(folder, { recursive: true })
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual(Object.entries(shapes))
})
