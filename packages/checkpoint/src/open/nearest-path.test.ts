import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { findNearestPath } from './nearest-path.ts'

let root: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-nearest-'))
  await mkdir(join(root, 'models', 'tiny-base'), { recursive: true })
  await writeFile(join(root, 'models', 'weights.safetensors'), '')
})
afterAll(() => rm(root, { recursive: true }))

test.each([
  ['models/tinybase', 'models/tiny-base'],
  ['modles/tiny-bsae', 'models/tiny-base'],
  ['./models/weight.safetensors', './models/weights.safetensors'],
  ['models/other', undefined],
  ['elsewhere/tiny-base', undefined],
])('%s', async (path, expected) => {
  expect(await findNearestPath(nodeFiles, path, ['/nowhere', root])).toBe(expected)
})

test('absolute paths', async () => {
  expect(await findNearestPath(nodeFiles, join(root, 'models', 'tiny-bas'), [])).toBe(join(root, 'models', 'tiny-base'))
})
