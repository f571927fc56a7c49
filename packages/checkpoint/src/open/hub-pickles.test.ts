import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelReference } from '@mk/config'
import type { TensorSource } from '@mk/source'
import { nodeFiles } from '@mk/source/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DownloadProgress } from '../checkpoint.ts'
import { CheckpointError, type CheckpointIssue } from '../errors.ts'
import type { HubActivity } from '../hub/hub-activity.ts'
import type { HubModel, ResolveHubModel } from '../hub/hub-model.ts'
import { stateDict } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { safetensorsBytes, writeFiles } from './__fixtures__/make-folder.ts'
import { openCheckpointFrom, type OpenOptions } from './open-checkpoint.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mk-hub-pickles-'))
})
afterEach(() => rm(root, { recursive: true }))

const torchFile = zip(torchZip(stateDict({ a: { key: '0', shape: [2] } }), { 0: new Uint8Array(8) }))
const listed: TensorSource = { kind: 'file', dtype: 'F32', shape: [2], file: 'listed', byteStart: 0 }
const commit = 'c'.repeat(40)
const reference = (path: string, ...adapters: readonly string[]): ModelReference => ({
  path,
  adapters: adapters.map((adapter) => ({ path: adapter })),
})
const progress: DownloadProgress = { id: 'org/a', file: 'f', doneBytes: 1, totalBytes: 2, earlierBytes: 3 }

/** What a hub has by id; its folders are here, its weights come when they are downloaded. */
function hubOf(models: Readonly<Record<string, Partial<HubModel>>>) {
  const asked: (readonly [string, string | undefined, object])[] = []
  const resolveHub: ResolveHubModel = async (id, revision, options) => {
    asked.push([id, revision, options])
    return {
      id,
      commit,
      folder: join(root, id),
      files: [],
      headers: new Map(),
      pickles: new Map(),
      ggufHeaders: new Map(),
      gguf: undefined,
      readRange: () => Promise.reject(new Error('not to be read')),
      downloadBytes: 0,
      notes: [],
      download: () => Promise.reject(new Error('not to be downloaded')),
      ...models[id],
    }
  }
  return { asked, resolveHub }
}

describe('a torch file that is at the hub', () => {
  const file = () => join(root, 'org/a/pytorch_model.bin')
  const atHub = (tensors: ReadonlyMap<string, TensorSource> = new Map([['a', listed]])): Partial<HubModel> => ({
    pickles: new Map([[file(), { tensors, notes: ['a note of it'] }]]),
    downloadBytes: 7,
    download: async (onProgress) => {
      onProgress?.(progress)
      await writeFiles(join(root, 'org/a'), { 'pytorch_model.bin': torchFile })
    },
  })
  const open = async (files: Readonly<Record<string, unknown>>, options: Partial<OpenOptions> = {}) => {
    await writeFiles(join(root, 'org/a'), { 'README.md': '', ...files })
    const activities: HubActivity[] = []
    const seen: DownloadProgress[] = []
    const { resolveHub } = hubOf({ 'org/a': atHub() })
    const hub = { onActivity: (activity: HubActivity) => activities.push(activity) }
    const checkpoint = await openCheckpointFrom({ store: nodeFiles, resolveHub }, reference('org/a'), {
      roots: [root],
      hub,
      onProgress: (each) => seen.push(each),
      listPickles: true,
      ...options,
    })
    return { checkpoint, activities, seen }
  }
  const told = { kind: 'whole-files', id: 'org/a', what: 'pytorch_model.bin', byteCount: 7 }

  test('is opened as it is listed, which is provisional, with the notes on it', async () => {
    const { checkpoint, activities } = await open(
      { 'config.json': {}, 'pytorch_model.bin': 'of the cache' },
      { roots: ['/none'] },
    )
    expect([...checkpoint.tensors]).toEqual([['a', listed]])
    expect([checkpoint.isProvisional, checkpoint.downloadBytes]).toEqual([true, 7])
    expect(checkpoint.notes).toContain('a note of it')
    expect(activities).toEqual([])
    expect(checkpoint.hub).toEqual({ id: 'org/a', commit })
  })

  test.each([
    ['where its model is quantized', { 'config.json': { quantization_config: { quant_method: 'none' } } }, {}],
    ['where nothing says what it is', {}, { allowNoConfig: true }],
  ])('comes whole %s', async (_, files, options) => {
    const opened = await open(files, { ...options, roots: ['/none'] }).catch(
      (error: unknown) => error as CheckpointError,
    )
    expect(await nodeFiles.stat(file())).toMatchObject({ kind: 'file' })
    if (opened instanceof CheckpointError) throw opened
    const { checkpoint, activities, seen } = opened
    expect([activities, seen]).toEqual([[told], [progress]])
    expect([checkpoint.isProvisional, checkpoint.downloadBytes]).toEqual([undefined, undefined])
    expect(checkpoint.tensors.get('a')).toMatchObject({ shape: [2] })
  })
})

describe('a path that is not here', () => {
  const refusedBy = async (issue: CheckpointIssue, options: Partial<OpenOptions> = {}) => {
    const resolveHub: ResolveHubModel = () => Promise.reject(new CheckpointError(issue))
    const places = { store: nodeFiles, resolveHub }
    return openCheckpointFrom(places, reference('org/a'), { roots: [root], ...options }).catch(
      (error: unknown) => error,
    )
  }

  test.each<[string, CheckpointIssue]>([
    ['model-not-found', { code: 'hub-not-found', id: 'org/a', hasToken: false }],
    ['model-not-found', { code: 'hub-unauthorized', id: 'org/a', hasToken: false }],
    ['model-unreachable', { code: 'hub-status', id: 'org/a', what: 'x', status: 500 }],
    ['model-unreachable', { code: 'hub-unreachable', id: 'org/a', what: 'x', reason: 'gone', host: 'h' }],
  ])('is %s where the hub says %j', async (code, issue) => {
    const where = 'recipe.yml:1:1'
    expect(await refusedBy(issue, { where })).toMatchObject({ code, issue: { path: 'org/a', where } })
    expect((await refusedBy(issue)) as CheckpointError).not.toHaveProperty('issue.where')
  })

  test('is what the hub says where that can’t be meant as a folder', async () => {
    const issue: CheckpointIssue = { code: 'hub-gated', id: 'org/a', hasToken: false, page: 'p' }
    expect(await refusedBy(issue)).toMatchObject({ code: 'hub-gated' })
  })

  test('is asked for with what is wanted of it', async () => {
    await writeFiles(join(root, 'org/a'), {
      'config.json': {},
      'model.safetensors': safetensorsBytes({ a: ['F32', 2] }),
    })
    const { asked, resolveHub } = hubOf({ 'org/a': {} })
    const places = { store: nodeFiles, resolveHub }
    const onProgress = () => {}
    await openCheckpointFrom(places, { ...reference('org/a'), revision: 'v1' }, { roots: ['/none'] })
    await openCheckpointFrom(places, reference('org/a'), {
      roots: ['/none'],
      listPickles: true,
      onProgress,
      hub: { cacheFolder: 'x' } as OpenOptions['hub'] & object,
    })
    expect(asked).toEqual([
      ['org/a', 'v1', { purpose: 'model', listPickles: false }],
      ['org/a', undefined, { cacheFolder: 'x', purpose: 'model', listPickles: true, onProgress }],
    ])
  })
})

describe('the downloads of a model and its adapters', () => {
  test('are one, whose bytes are added up', async () => {
    const ofAdapter = {
      'adapter_config.json': { peft_type: 'LORA', r: 1, lora_alpha: 1, target_modules: ['q'] },
      'adapter_model.safetensors': safetensorsBytes({
        'base_model.model.q.lora_A.weight': ['F32', 1, 2],
        'base_model.model.q.lora_B.weight': ['F32', 2, 1],
      }),
    }
    await writeFiles(join(root, 'org/a'), {
      'config.json': {},
      'model.safetensors': safetensorsBytes({ 'q.weight': ['F32', 2, 2] }),
    })
    for (const id of ['org/b', 'org/c']) await writeFiles(join(root, id), ofAdapter)
    const signals: (AbortSignal | undefined)[] = []
    const part = (doneBytes: number): Partial<HubModel> => ({
      downloadBytes: 10 * doneBytes,
      download: async (onProgress, signal) => {
        signals.push(signal)
        onProgress?.({ id: 'x', file: 'f', doneBytes, totalBytes: 10 * doneBytes, earlierBytes: 100 * doneBytes })
      },
    })
    const { asked, resolveHub } = hubOf({ 'org/a': part(1), 'org/b': part(2), 'org/c': part(4) })
    const places = { store: nodeFiles, resolveHub }
    const opened = await openCheckpointFrom(places, reference('org/a', 'org/b', 'org/c'), { roots: ['/none'] })
    expect(asked.map(([id, , { purpose }]: readonly [string, unknown, { purpose?: string }]) => [id, purpose])).toEqual(
      [
        ['org/a', 'model'],
        ['org/b', 'adapter'],
        ['org/c', 'adapter'],
      ],
    )
    expect(opened.downloadBytes).toBe(70)
    expect(opened.adapters!.map(({ path, hub }) => [path, hub])).toEqual([
      ['org/b', { id: 'org/b', commit }],
      ['org/c', { id: 'org/c', commit }],
    ])
    const seen: DownloadProgress[] = []
    await opened.download!((each) => seen.push(each))
    expect(seen).toHaveLength(3)
    expect(seen.at(-1)).toMatchObject({ doneBytes: 7, totalBytes: 70, earlierBytes: 700 })
    expect(signals.every((signal) => signal instanceof AbortSignal)).toBe(true)
  })

  test('are none where all is here', async () => {
    await writeFiles(join(root, 'org/a'), {
      'config.json': {},
      'model.safetensors': safetensorsBytes({ 'q.weight': ['F32', 2, 2] }),
    })
    const { resolveHub } = hubOf({})
    const opened = await openCheckpointFrom({ store: nodeFiles, resolveHub }, reference('org/a'), { roots: ['/none'] })
    expect(opened).not.toHaveProperty('downloadBytes')
    expect(opened).not.toHaveProperty('download')
    expect(opened).not.toHaveProperty('isProvisional')
  })
})

test('a signal of the hub and one of the opening both end what is asked of it', async () => {
  const [own, ofHub] = [new AbortController(), new AbortController()]
  const signals: AbortSignal[] = []
  const resolveHub: ResolveHubModel = (_id, _revision, { signal }) => {
    signals.push(signal!)
    return Promise.reject(new Error('far'))
  }
  const open = (hub?: OpenOptions['hub']) =>
    openCheckpointFrom({ store: nodeFiles, resolveHub }, reference('org/a'), {
      roots: ['/none'],
      signal: own.signal,
      ...(hub && { hub }),
    })
  await expect(open({ signal: ofHub.signal })).rejects.toThrow('far')
  await expect(open()).rejects.toThrow('far')
  ofHub.abort('of the hub')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  own.abort('of the opening')
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
})
