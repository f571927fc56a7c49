import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenFiles } from '@mk/source'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HubServer, startHubServer } from '../../../checkpoint/src/hub/__fixtures__/hub-server.ts'
import { expectIssue, prepareIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { loadFolder, tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { runMerge } from '../node/run-merge.ts'

const folder = useFolder()
const ones = { shape: [6, 4], value: () => 1 }
const twos = { shape: [6, 4], value: () => 2 }

describe('a model of the hub', () => {
  let hub: HubServer
  const commit = 'c'.repeat(40)
  const recipe = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: org/model}, {model: a}]'
  const prepare = () =>
    prepareIn(folder.path, recipe, {
      hub: { environment: { HF_HOME: join(folder.path, 'cache'), HF_ENDPOINT: hub.url }, retryDelayMs: 1 },
    })
  const broughtBytes = () => hub.requests.filter(({ host, range }) => host === 'cdn' && range === undefined).length

  beforeEach(async () => {
    await writeModel(
      join(folder.path, 'made'),
      tinyLlama({ tied: true, extra: { 'model.embed_tokens.weight': ones, 'lm_head.weight': twos } }),
    )
    await writeLlamas(folder.path, { a: { tied: true, extra: { 'model.embed_tokens.weight': ones } } })
    const files = Object.fromEntries(
      await Promise.all(
        ['config.json', 'model.safetensors'].map(
          async (name) => [name, await readFile(join(folder.path, 'made', name))] as const,
        ),
      ),
    )
    hub = await startHubServer({ id: 'org/model', commit, files: { ...files, 'tokenizer.json': '{}' } })
  })
  afterEach(() => hub.close())

  test('is planned from its headers and merged when its weights have come, which tell whether its head is another one', async () => {
    const { plan, download, methods } = await prepare()
    expect(plan.notes[0]).toContain('is known when it is downloaded')
    expect(plan.tensors.some(({ name }) => name === 'lm_head.weight')).toBe(false)
    expect(broughtBytes()).toBe(0)
    const out = join(folder.path, 'out')
    const seen: number[] = []
    const known = await download({ out, onProgress: ({ doneBytes }) => seen.push(doneBytes) })
    expect(known.notes[0]).toBe(
      'org/model ties its head to its embedding, but the head of org/model is another matrix; the output is not tied',
    )
    await runMerge(known, { out, methods, runtime: referenceRuntime, threads: 0 })
    expect((await loadFolder(out))['lm_head.weight']!.values).toEqual(Array(24).fill(1.5))
    expect(seen.at(-1)).toBeGreaterThan(0)
  })

  test('can stay at the hub: what tells whether its head is another one is read there, and dropped', async () => {
    const { download, stages } = await prepare()
    const asked: (readonly number[])[] = []
    let dropped = 0
    const bytes = await readFile(join(folder.path, 'made/model.safetensors'))
    const openFiles = (): OpenFiles => ({
      read(_file, ...[position, into]: readonly unknown[]) {
        const target = into as Uint8Array
        target.set(bytes.subarray(position as number, (position as number) + target.length))
        return target.length
      },
      close() {},
    })
    const known = await download({
      readAtHub: async (sources) => {
        asked.push(...sources.map(({ shape }) => shape))
        return { openFiles, drop: async () => void dropped++ }
      },
    })
    expect(known.tensors.some(({ name }) => name === 'lm_head.weight')).toBe(true)
    expect(asked).toEqual(Array(3).fill([6, 4]))
    expect([dropped, stages, broughtBytes()]).toEqual([1, [], 0])
    const failing = download({
      readAtHub: async () => ({
        openFiles: () => ({
          ...openFiles(),
          read: () => {
            throw new Error('gone')
          },
        }),
        drop: async () => void dropped++,
      }),
    })
    await expect(failing).rejects.toThrow('gone')
    expect(dropped).toBe(2)
  })

  test('does not come where the output would be in the way of an input', async () => {
    const { download } = await prepare()
    await expectIssue(download({ out: join(folder.path, 'a') }), 'output-is-input')
    expect(broughtBytes()).toBe(0)
  })

  test('does not come where all of them and the output have no room', async () => {
    const { inputs, download } = await prepare()
    Object.assign(inputs.checkpoints[0]!, { downloadBytes: 2 ** 61 })
    await expectIssue(download({ out: join(folder.path, 'out') }), 'disk-space')
    expect(broughtBytes()).toBe(0)
  })
})

test('nothing is downloaded where everything is here', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { plan, download } = await prepareIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  expect(await download()).toBe(plan)
})

test('nothing is read at the hub where nothing has to be known', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { plan, download } = await prepareIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  expect(await download({ readAtHub: () => Promise.reject(new Error('not to be called')) })).toBe(plan)
})

test('errors of the packages below come as they are', async () => {
  await writeLlamas(folder.path, { a: {} })
  await expect(prepareIn(folder.path, 'merge_method: linear\nmodel: []')).rejects.toMatchObject({ name: 'ConfigError' })
  await expect(
    prepareIn(folder.path, 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: ./none}]'),
  ).rejects.toMatchObject({
    name: 'CheckpointError',
    code: 'folder-not-found',
  })
})
