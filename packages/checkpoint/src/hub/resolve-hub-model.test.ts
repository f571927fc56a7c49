import { mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DownloadProgress } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { stateDict } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { commit, id, safetensors, sharded, shardNames } from './__fixtures__/hub-model.ts'
import { type HubServer, type HubServerOptions, startHubServer } from './__fixtures__/hub-server.ts'
import { type HubModel, resolveHubModel, type ResolveHubOptions } from './resolve-hub-model.ts'

let cache: string
let server: HubServer | undefined
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'mk-hub-'))
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(cache, { recursive: true, force: true })
})

const token = 'hf_veryverysecret'

async function serve(options: Partial<HubServerOptions> = {}): Promise<void> {
  await server?.close()
  server = await startHubServer({ id, commit, files: sharded, ...options })
}

const environment = (more: Readonly<Record<string, string>> = {}) => ({ HF_HOME: cache, HF_ENDPOINT: server?.url ?? 'http://127.0.0.1:9', ...more })

const resolve = (options: ResolveHubOptions & { env?: Record<string, string>; revision?: string; id?: string } = {}): Promise<HubModel> =>
  resolveHubModel(options.id ?? id, options.revision, { environment: environment(options.env), retryDelayMs: 1, stallMs: 2000, ...options })

const repo = () => join(cache, 'hub', 'models--org--model')
const requested = (host: 'hub' | 'cdn') => server!.requests.filter((request) => request.host === host)

/** @returns the error, having made sure that no token is in it. */
async function failure(promise: Promise<unknown>): Promise<CheckpointError> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason)
  expect(error).toBeInstanceOf(CheckpointError)
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).stack) + String((error as Error).cause)).not.toContain('secret')
  return error as CheckpointError
}

/** Compared at once: element by element it takes long. */
const equals = (expected: Uint8Array | string | undefined) => (found: Uint8Array): boolean => Buffer.from(expected as Uint8Array).equals(found)

describe('a model that is not in the cache', () => {
  test('its headers are known before its weights come', async () => {
    await serve()
    const model = await resolve()
    expect(model.commit).toBe(commit)
    expect([...model.headers].map(([file, entries]) => [file, entries.map(({ name, shape }) => [name, shape])])).toEqual([
      [join(model.folder, shardNames[0]), [['a', [50_000]]]],
      [join(model.folder, shardNames[1]), [['b', [1000]]]],
    ])
    expect(model.downloadBytes).toBe((sharded[shardNames[0]] as Uint8Array).length + (sharded[shardNames[1]] as Uint8Array).length)
    expect(requested('cdn').map(({ range }) => range?.split('-')[0])).toEqual(['bytes=0', 'bytes=0'])
    expect((await readdir(model.folder)).sort()).toEqual(['config.json', 'model.safetensors.index.json', 'tokenizer.json', 'tokenizer_config.json'])
    expect(JSON.parse(await readFile(join(model.folder, 'config.json'), 'utf8'))).toEqual({ model_type: 'llama' })
  })

  test('its weights come when asked for, into blobs, snapshots and refs', async () => {
    await serve()
    const model = await resolve()
    const seen: DownloadProgress[] = []
    await model.download((progress) => seen.push(progress))
    for (const name of shardNames) {
      expect(await readFile(join(model.folder, name))).toSatisfy(equals(sharded[name]))
      expect(await readlink(join(model.folder, name))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/)
      expect((await readSafetensorsHeader(join(model.folder, name))).tensors).toEqual(model.headers.get(join(model.folder, name)))
    }
    expect(await readFile(join(repo(), 'refs', 'main'), 'utf8')).toBe(commit)
    expect((await readdir(join(repo(), 'blobs'))).every((name) => /^[0-9a-f]+$/.test(name))).toBe(true)
    expect(seen.at(-1)).toEqual({ id, file: expect.any(String), doneBytes: model.downloadBytes, totalBytes: model.downloadBytes })
    expect(seen.map(({ doneBytes }) => doneBytes)).toEqual(seen.map(({ doneBytes }) => doneBytes).sort((left, right) => left - right))
  })

  test('nothing is fetched that a merge does not need', async () => {
    await serve()
    await (await resolve()).download()
    expect(requested('hub').filter(({ path }) => /README|gguf|pytorch_model/.test(path))).toEqual([])
  })

  test('a list of several pages is read to its end', async () => {
    await serve({ pageSize: 2 })
    expect((await resolve()).files.length).toBe(6)
  })

  test('a header longer than the first range is fetched in two', async () => {
    const name = 'x'.repeat(200_000)
    await serve({ files: { 'config.json': '{}', 'model.safetensors': safetensors(name, 4) } })
    const model = await resolve()
    expect(model.headers.get(join(model.folder, 'model.safetensors'))?.[0]?.name).toBe(name)
    expect(requested('cdn').map(({ range }) => range)).toEqual(['bytes=0-131071', expect.stringMatching(/^bytes=131072-/)])
  })

  test('a damaged header ends before any weight comes', async () => {
    await serve({ files: { 'config.json': '{}', 'model.safetensors': new Uint8Array(2000).fill(255) } })
    await expect(resolve()).rejects.toMatchObject({ code: 'header-too-long', message: expect.stringContaining('org/model/model.safetensors') })
  })

  test('two references to the same weights bring them once', async () => {
    await serve()
    const [left, right] = await Promise.all([resolve(), resolve({ revision: 'v1' })])
    await Promise.all([left.download(), right.download()])
    expect(requested('cdn').filter(({ range }) => range === undefined).length).toBe(2)
    expect(await readFile(join(repo(), 'refs', 'v1'), 'utf8')).toBe(commit)
  })

  test('a pickle comes at once, since only a whole one can be read', async () => {
    const bytes = zip(torchZip(stateDict({ w: { shape: [2] } }), { 0: new Uint8Array(8) }))
    await serve({ files: { 'config.json': '{}', 'pytorch_model.bin': bytes } })
    const model = await resolve()
    expect([model.downloadBytes, model.headers.size]).toEqual([0, 0])
    expect(await readFile(join(model.folder, 'pytorch_model.bin'))).toSatisfy(equals(bytes))
  })

  test('an adapter is found by its own names', async () => {
    await serve({ files: { 'adapter_config.json': '{}', 'adapter_model.safetensors': safetensors('a', 2), 'model.safetensors': 'no', 'README.md': '' } })
    const model = await resolve({ purpose: 'adapter' })
    expect([...model.headers.keys()]).toEqual([join(model.folder, 'adapter_model.safetensors')])
    await model.download()
    expect((await resolve({ purpose: 'adapter', env: { HF_HUB_OFFLINE: '1' } })).files).toEqual(['adapter_config.json', 'adapter_model.safetensors'])
  })
})

describe('a model in the cache', () => {
  test('is used without the network', async () => {
    await serve()
    await (await resolve()).download()
    server!.requests.length = 0
    for (const revision of [undefined, 'main', commit]) {
      const model = await resolve({ ...(revision && { revision }) })
      expect([model.downloadBytes, model.headers.size, model.files.length]).toEqual([0, 0, 6])
    }
    expect(server!.requests).toEqual([])
  })

  test('as another tool left it is used too', async () => {
    const folder = join(repo(), 'snapshots', commit)
    await mkdir(folder, { recursive: true })
    await mkdir(join(repo(), 'refs'), { recursive: true })
    await writeFile(join(repo(), 'refs', 'main'), commit)
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) await writeFile(join(folder, name), '{}')
    expect((await resolve()).folder).toBe(folder)
  })

  test('without its tokenizer is completed at the hub, and used as it is where that is away', async () => {
    await serve()
    await (await resolve()).download()
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) await rm(join(repo(), 'snapshots', commit, name))
    expect((await resolve()).files).toContain('tokenizer.json')
    expect(await readdir(join(repo(), 'snapshots', commit))).toContain('tokenizer.json')
    for (const name of ['tokenizer.json', 'tokenizer_config.json']) await rm(join(repo(), 'snapshots', commit, name))
    await server!.close()
    expect((await resolve()).notes).toEqual([expect.stringContaining('could not be reached')])
  })

  test('that lacks a shard is not complete', async () => {
    await serve()
    const model = await resolve()
    await model.download()
    await rm(join(model.folder, shardNames[1]))
    const offline = await failure(resolve({ env: { HF_HUB_OFFLINE: 'yes' } }))
    expect([offline.code, offline.message]).toEqual(['hub-offline', expect.stringContaining('HF_HUB_OFFLINE')])
    // Its blob is still there, so the link is all that was missing.
    expect((await resolve()).downloadBytes).toBe(0)
  })
})

describe('where the cache is', () => {
  test.each([
    ['HF_HUB_CACHE', (folder: string) => ({ env: { HF_HUB_CACHE: folder } })],
    ['the option', (folder: string) => ({ transformersCache: folder, env: { HF_HUB_CACHE: '/nowhere' } })],
  ])('%s says', async (_, options) => {
    await serve()
    expect((await resolve(options(join(cache, 'elsewhere')))).folder).toBe(join(cache, 'elsewhere', 'models--org--model', 'snapshots', commit))
  })
})

describe('tokens', () => {
  test.each([
    ['HF_TOKEN', async () => ({ HF_TOKEN: token })],
    ['the token file', async () => (await writeFile(join(cache, 'token'), `${token}\n`), {})],
    ['HF_TOKEN_PATH', async () => (await writeFile(join(cache, 'other'), token), { HF_TOKEN_PATH: join(cache, 'other') })],
  ])('%s opens a private model; the other host never sees it', async (_, prepare) => {
    await serve({ token })
    const model = await resolve({ env: await prepare() })
    await model.download()
    expect(requested('hub').every(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true)
    expect(requested('cdn').length).toBeGreaterThan(2)
    expect(requested('cdn').every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  test('a token that is no token is refused without being shown', async () => {
    expect(await failure(resolve({ env: { HF_TOKEN: 'very secret' } }))).toMatchObject({ code: 'hub-token' })
  })

  test('an endpoint with a password is refused without being shown', async () => {
    expect(await failure(resolve({ env: { HF_ENDPOINT: 'https://me:secret@example.org' } }))).toMatchObject({ code: 'hub-endpoint' })
  })

  test.each(['not a url', 'ftp://example.org'])('the endpoint %s is refused', async (endpoint) => {
    expect(await failure(resolve({ env: { HF_ENDPOINT: endpoint } }))).toMatchObject({ code: 'hub-endpoint' })
  })
})

describe('the hub says no', () => {
  test('401 without a token', async () => {
    await serve({ token })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-unauthorized', message: expect.stringContaining('HF_TOKEN') })
  })

  test('401 with another token, which the answer repeats', async () => {
    await serve({ token })
    expect(await failure(resolve({ env: { HF_TOKEN: 'hf_alsosecret' } }))).toMatchObject({ code: 'hub-unauthorized', issue: { hasToken: true } })
  })

  test('403 for a gated model', async () => {
    await serve({ gated: true })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-gated' })
  })

  test('404 for a model', async () => {
    await serve()
    expect(await failure(resolve({ id: 'org/none' }))).toMatchObject({ code: 'hub-not-found' })
  })

  test('404 for a revision', async () => {
    await serve()
    expect(await failure(resolve({ revision: 'v9' }))).toMatchObject({ code: 'hub-not-found', message: expect.stringContaining("revision 'v9'") })
  })

  test('an error that passes is tried again; one that stays is told', async () => {
    await serve({ busy: { times: 2 } })
    expect((await resolve()).commit).toBe(commit)
    await rm(cache, { recursive: true })
    await serve({ busy: { times: 100 } })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-status', issue: { status: 503 } })
  })

  test('nobody there', async () => {
    expect(await failure(resolve())).toMatchObject({ code: 'hub-unreachable', issue: { reason: expect.any(String) } })
  })

  test.each(['../evil', 'a/b/c', 'org/..', 'org/.hidden', 'a--b/c', 'a b'])('%s is no hub id', async (bad) => {
    expect(await failure(resolve({ id: bad }))).toMatchObject({ code: 'hub-id' })
  })

  test.each(['../../x', 'a//b', '/etc', 'a b'])('%s is no revision', async (revision) => {
    expect(await failure(resolve({ revision }))).toMatchObject({ code: 'hub-revision' })
  })
})

describe('a repository that is not right', () => {
  test('without weights', async () => {
    await serve({ files: { 'config.json': '{}', 'model.gguf': 'x' } })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-no-weights', message: expect.stringContaining('model.gguf') })
  })

  test('with an index that names a shard that is not there', async () => {
    await serve({ files: { 'model.safetensors.index.json': JSON.stringify({ weight_map: { a: 'one.safetensors' } }) } })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-shard-missing', issue: { shard: 'one.safetensors' } })
  })

  test('with names and hashes that would leave the cache', async () => {
    await serve({ listed: (entry) => (entry['path'] === 'tokenizer.json' ? { ...entry, path: '..' } : entry) })
    expect((await resolve()).files).not.toContain('..')
    await serve({ listed: (entry) => ({ ...entry, oid: '../../x', lfs: undefined }) })
    expect(await failure(resolve({ revision: 'v1' }))).toMatchObject({ code: 'hub-answer' })
  })

  test('with another commit than could be one', async () => {
    await serve({ commit: '../../../x' })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-answer' })
  })
})

describe('too little disk', () => {
  test('is known before the weights come', async () => {
    await serve()
    const error = await failure(resolve({ freeBytes: () => Promise.resolve(1000) }))
    expect(error).toMatchObject({ code: 'hub-disk', issue: { availableBytes: 1000, neededBytes: expect.any(Number) } })
    expect(requested('cdn')).toEqual([])
  })
})

describe('connections that fail', () => {
  const size = (sharded[shardNames[0]] as Uint8Array).length

  test('a dropped connection is taken up where it broke', async () => {
    const drops: NonNullable<HubServerOptions['drops']> = {}
    await serve({ drops })
    const model = await resolve()
    drops[shardNames[0]] = { afterBytes: 70_000, times: 2 }
    await model.download()
    const ranges = requested('cdn').map(({ range }) => range)
    expect(ranges).toEqual(expect.arrayContaining(['bytes=70000-', 'bytes=140000-']))
    expect(await readFile(join(model.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('a header is asked for again where the connection breaks', async () => {
    await serve({ drops: { [shardNames[0]]: { afterBytes: 20, times: 2 } } })
    expect((await resolve()).headers.size).toBe(2)
  })

  test('what has arrived is kept for the next run', async () => {
    const drops: NonNullable<HubServerOptions['drops']> = {}
    await serve({ drops })
    const stop = new AbortController()
    const first = await resolve({ signal: stop.signal, retryDelayMs: 10_000 })
    drops[shardNames[0]] = { afterBytes: 150_000, times: 1 }
    setTimeout(() => stop.abort(), 300)
    await expect(first.download()).rejects.toMatchObject({ name: 'AbortError' })
    const partial = (await readdir(join(repo(), 'blobs'))).filter((name) => name.endsWith('.incomplete'))
    expect(partial.length).toBe(1)
    expect((await stat(join(repo(), 'blobs', partial[0]!))).size).toBe(150_000)
    const second = await resolve()
    expect(second.downloadBytes).toBe(size - 150_000)
    const seen: DownloadProgress[] = []
    await second.download((progress) => seen.push(progress))
    expect(seen.at(-1)).toMatchObject({ doneBytes: second.downloadBytes, totalBytes: second.downloadBytes })
    expect(requested('cdn').map(({ range }) => range)).toContain('bytes=150000-')
    expect(await readFile(join(second.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('a connection that delivers nothing is given up', async () => {
    await serve({ silent: [shardNames[0]] })
    expect(await failure(resolve({ stallMs: 50 }))).toMatchObject({ code: 'hub-unreachable', issue: { what: shardNames[0], reason: 'no answer in time' } })
  })

  test('a hub that goes away before the weights come is told', async () => {
    await serve()
    const model = await resolve()
    await server!.close()
    expect(await failure(model.download())).toMatchObject({ code: 'hub-unreachable' })
  })

  test('a server without ranges starts over, and headers are read all the same', async () => {
    await serve({ noRanges: true, drops: { [shardNames[0]]: { afterBytes: 190_000, times: 1 } } })
    const model = await resolve()
    expect(model.headers.size).toBe(2)
    await model.download()
    expect(await readFile(join(model.folder, shardNames[0]))).toSatisfy(equals(sharded[shardNames[0]]))
  })

  test('a file of another length than listed', async () => {
    await serve({ listedBytes: { [shardNames[1]]: 4096 } })
    expect(await failure(resolve())).toMatchObject({ code: 'hub-length', issue: { file: shardNames[1], expected: 4096 } })
    expect(await failure(resolve({ revision: commit }))).toMatchObject({ code: 'hub-length' })
  })

  test('a file that arrives damaged is discarded', async () => {
    const damaged = Uint8Array.from(sharded[shardNames[1]] as Uint8Array)
    damaged[damaged.length - 1]! ^= 1
    await serve({ served: { [shardNames[1]]: damaged } })
    const model = await resolve()
    expect(await failure(model.download())).toMatchObject({ code: 'hub-corrupt', issue: { file: shardNames[1] } })
    expect(await readdir(model.folder)).not.toContain(shardNames[1])
    await serve()
    await (await resolve()).download()
    expect(await readFile(join(model.folder, shardNames[1]))).toSatisfy(equals(sharded[shardNames[1]]))
  })
})
