import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseModelReference } from '@mk/config'
import type { FileStore } from '@mk/source'
import { nodeFiles } from '@mk/source/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { listTensors } from '../list-tensors.ts'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import { safetensorsBytes, writeFiles } from './__fixtures__/make-folder.ts'
import { openCheckpointFrom } from './open-checkpoint.ts'

const goldens = new URL('../../../../goldens/models/', import.meta.url).pathname
const plain = safetensorsBytes({ a: ['F32', 2], b: ['BF16', 3] })

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'open-checkpoint-'))
})
afterEach(() => rm(root, { recursive: true }))

const make = (files: Readonly<Record<string, unknown>>) =>
  writeFiles(join(root, 'model'), { 'config.json': {}, ...files })

describe('openCheckpoint on a text', () => {
  it('opens the path, relative to the current folder', async () => {
    const checkpoint = await openCheckpoint('goldens/models/llama-base')
    expect(checkpoint.folder).toBe(join(goldens, 'llama-base'))
    expect(listTensors(checkpoint)[0]).toEqual({
      name: 'lm_head.weight',
      dtype: 'F32',
      shape: [64, 24],
      elementCount: 1536,
      storedBytes: 6144,
    })
  })

  it('takes revision and adapters as a recipe has them', async () => {
    await make({ 'model.safetensors': plain })
    const { reference } = await openCheckpoint('model@main', { roots: [root] })
    expect(reference).toEqual({ path: 'model', revision: 'main', adapters: [] })
    await expect(openCheckpoint('a@@b')).rejects.toThrow("more than one '@'")
  })
})

describe('openCheckpoint from plain JavaScript', () => {
  it.each([
    [undefined, 'the config is empty, expected a model'],
    [null, 'the config is empty, expected a model'],
    [{ path: 'x' }, "unknown key 'path'"],
    [['x'], 'the config is a list, expected a model'],
  ])('refuses %j as what a recipe could not name either', async (reference, message) => {
    await expect(openCheckpoint(reference as unknown as string)).rejects.toThrow(message)
  })
})

describe('openCheckpoint with a signal', () => {
  it('opens nothing where it has fired', async () => {
    const signal = AbortSignal.abort('enough')
    await expect(openCheckpoint('nowhere', { signal, roots: [root] })).rejects.toBe('enough')
  })

  it.each([1, 2, 4, 8])('ends at its next step where it fires, with its reason (step %i)', async (last) => {
    await make({ 'model.safetensors': plain, 'generation_config.json': {}, 'tokenizer.json': {} })
    const controller = new AbortController()
    let steps = 0
    const step = () => {
      if (++steps === last) controller.abort('enough')
    }
    const store: FileStore = {
      ...nodeFiles,
      list: (folder) => (step(), nodeFiles.list(folder)),
      stat: (path) => (step(), nodeFiles.stat(path)),
      withFile: (path, use) => (step(), nodeFiles.withFile(path, use)),
    }
    const reference = parseModelReference('model')
    const opening = openCheckpointFrom({ store }, reference, { roots: [root], signal: controller.signal })
    await expect(opening).rejects.toBe('enough')
    const stepsThen = steps
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(steps).toBe(stepsThen)
  })
})
