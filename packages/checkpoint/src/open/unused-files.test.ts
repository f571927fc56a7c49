import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeFiles } from '@mk/source/node'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { safetensorsBytes, writeFiles } from './__fixtures__/make-folder.ts'
import { openFolder } from './open-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mk-unused-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('files of tensors beside those of the model are named, but for the same weights in another layout', async () => {
  const plain = safetensorsBytes({ a: ['F32', 2] })
  const notes = async (...names: readonly string[]) => {
    await writeFiles(folder, Object.fromEntries(['model.safetensors', ...names].map((name) => [name, plain])))
    return (await openFolder(nodeFiles, folder, { headers: new Map(), pickles: new Map() })).notes
  }
  expect(await notes('consolidated.00.safetensors', 'adapter_model.safetensors')).toEqual([])
  expect(await notes('x.safetensors')).toEqual([`${folder}: x.safetensors is not part of the model and left out`])
  expect(await notes('y.safetensors')).toEqual([
    `${folder}: x.safetensors, y.safetensors are not part of the model and left out`,
  ])
})
