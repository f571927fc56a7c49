import { mkdir, readFile, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { describe, expect, test } from 'vitest'
import type { DownloadProgress } from '../checkpoint.ts'
import { stateDict } from '../pickle/__fixtures__/pickle-bytes.ts'
import { torchZip, zip } from '../pickle/__fixtures__/zip-bytes.ts'
import { equals, failure, useHub } from './__fixtures__/hub-harness.ts'
import { commit, id, safetensors, sharded, shardNames } from './__fixtures__/hub-model.ts'

const hub = useHub()
const token = 'hf_veryverysecret'

describe('a model that is not in the cache', () => {
  test('its headers are known before its weights come', async () => {
    await hub.serve()
    const model = await hub.resolve()
    expect(model.commit).toBe(commit)
    expect(
      [...model.headers].map(([file, entries]) => [file, entries.map(({ name, shape }) => [name, shape])]),
    ).toEqual([
      [join(model.folder, shardNames[0]), [['a', [50_000]]]],
      [join(model.folder, shardNames[1]), [['b', [1000]]]],
    ])
    expect(model.downloadBytes).toBe(
      (sharded[shardNames[0]] as Uint8Array).length + (sharded[shardNames[1]] as Uint8Array).length,
    )
    expect(hub.requested('cdn').map(({ range }) => range?.split('-')[0])).toEqual(['bytes=0', 'bytes=0'])
    expect((await readdir(model.folder)).sort()).toEqual([
      'README.md',
      'config.json',
      'model.safetensors.index.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(JSON.parse(await readFile(join(model.folder, 'config.json'), 'utf8'))).toEqual({ model_type: 'llama' })
  })

  test('its weights come when asked for, into blobs, snapshots and refs', async () => {
    await hub.serve()
    const model = await hub.resolve()
    const seen: DownloadProgress[] = []
    await model.download((progress) => seen.push(progress))
    for (const name of shardNames) {
      expect(await readFile(join(model.folder, name))).toSatisfy(equals(sharded[name]))
      expect(await readlink(join(model.folder, name))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/)
      expect((await readSafetensorsHeader(join(model.folder, name))).tensors).toEqual(
        model.headers.get(join(model.folder, name)),
      )
    }
    expect(await readFile(join(hub.repo(), 'refs', 'main'), 'utf8')).toBe(commit)
    expect((await readdir(join(hub.repo(), 'blobs'))).every((name) => /^[0-9a-f]+$/.test(name))).toBe(true)
    expect(seen.at(-1)).toEqual({
      id,
      file: expect.any(String),
      doneBytes: model.downloadBytes,
      totalBytes: model.downloadBytes,
      earlierBytes: 0,
    })
    expect(seen.map(({ doneBytes }) => doneBytes)).toEqual(
      seen.map(({ doneBytes }) => doneBytes).sort((left, right) => left - right),
    )
  })

  test('nothing is fetched that a merge does not need', async () => {
    await hub.serve()
    await (await hub.resolve()).download()
    expect(hub.requested('hub').filter(({ path }) => /gguf|pytorch_model/.test(path))).toEqual([])
  })

  test('a list of several pages is read to its end', async () => {
    await hub.serve({ pageSize: 2 })
    expect((await hub.resolve()).files.length).toBe(7)
  })

  test('a header longer than the first range is fetched in two', async () => {
    const name = 'x'.repeat(200_000)
    await hub.serve({ files: { 'config.json': '{}', 'model.safetensors': safetensors(name, 4) } })
    const model = await hub.resolve()
    expect(model.headers.get(join(model.folder, 'model.safetensors'))?.[0]?.name).toBe(name)
    expect(hub.requested('cdn').map(({ range }) => range)).toEqual([
      'bytes=0-131071',
      expect.stringMatching(/^bytes=131072-/),
    ])
  })

  test('a damaged header ends before any weight comes', async () => {
    await hub.serve({ files: { 'config.json': '{}', 'model.safetensors': new Uint8Array(2000).fill(255) } })
    await expect(hub.resolve()).rejects.toMatchObject({
      code: 'header-too-long',
      message: expect.stringContaining('org/model/model.safetensors'),
    })
  })

  test('two references to the same weights bring them once', async () => {
    await hub.serve()
    const [left, right] = await Promise.all([hub.resolve(), hub.resolve({ revision: 'v1' })])
    await Promise.all([left.download(), right.download()])
    expect(hub.requested('cdn').filter(({ range }) => range === undefined).length).toBe(2)
    expect(await readFile(join(hub.repo(), 'refs', 'v1'), 'utf8')).toBe(commit)
  })

  test('a pickle comes at once, since only a whole one can be read', async () => {
    const bytes = zip(torchZip(stateDict({ w: { shape: [2] } }), { 0: new Uint8Array(8) }))
    await hub.serve({ files: { 'config.json': '{}', 'pytorch_model.bin': bytes } })
    const model = await hub.resolve()
    expect([model.downloadBytes, model.headers.size]).toEqual([0, 0])
    expect(await readFile(join(model.folder, 'pytorch_model.bin'))).toSatisfy(equals(bytes))
  })

  test('an adapter is found by its own names', async () => {
    await hub.serve({
      files: {
        'adapter_config.json': '{}',
        'adapter_model.safetensors': safetensors('a', 2),
        'model.safetensors': 'no',
        'README.md': '',
      },
    })
    const model = await hub.resolve({ purpose: 'adapter' })
    expect([...model.headers.keys()]).toEqual([join(model.folder, 'adapter_model.safetensors')])
    await model.download()
    expect((await hub.resolve({ purpose: 'adapter', env: { HF_HUB_OFFLINE: '1' } })).files).toEqual([
      'README.md',
      'adapter_config.json',
      'adapter_model.safetensors',
    ])
  })
})

describe('a model in the cache', () => {
  test('is used without the network', async () => {
    await hub.serve()
    await (await hub.resolve()).download()
    hub.server.requests.length = 0
    for (const revision of [undefined, 'main', commit]) {
      const model = await hub.resolve({ ...(revision && { revision }) })
      expect([model.downloadBytes, model.headers.size, model.files.length]).toEqual([0, 0, 7])
    }
    expect(hub.server.requests).toEqual([])
  })

  test('as another tool left it is used too', async () => {
    const folder = join(hub.repo(), 'snapshots', commit)
    await mkdir(folder, { recursive: true })
    await mkdir(join(hub.repo(), 'refs'), { recursive: true })
    await writeFile(join(hub.repo(), 'refs', 'main'), commit)
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) await writeFile(join(folder, name), '{}')
    expect((await hub.resolve()).folder).toBe(folder)
  })

  test('without its tokenizer is completed at the hub, and used as it is where that is away', async () => {
    await hub.serve()
    await (await hub.resolve()).download()
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await rm(join(hub.repo(), 'snapshots', commit, name))
    expect((await hub.resolve()).files).toContain('tokenizer.json')
    expect(await readdir(join(hub.repo(), 'snapshots', commit))).toContain('tokenizer.json')
    for (const name of ['tokenizer.json', 'tokenizer_config.json'])
      await rm(join(hub.repo(), 'snapshots', commit, name))
    await hub.server.close()
    expect((await hub.resolve()).notes).toEqual([expect.stringContaining('could not be reached')])
  })

  test('that lacks a shard is not complete', async () => {
    await hub.serve()
    const model = await hub.resolve()
    await model.download()
    await rm(join(model.folder, shardNames[1]))
    const offline = await failure(hub.resolve({ env: { HF_HUB_OFFLINE: 'yes' } }))
    expect([offline.code, offline.message]).toEqual(['hub-offline', expect.stringContaining('HF_HUB_OFFLINE')])
    // Its blob is still there, so the link is all that was missing.
    expect((await hub.resolve()).downloadBytes).toBe(0)
  })
})

describe('where the cache is', () => {
  test.each([
    ['HF_HUB_CACHE', (folder: string) => ({ env: { HF_HUB_CACHE: folder } })],
    ['the option', (folder: string) => ({ transformersCache: folder, env: { HF_HUB_CACHE: '/nowhere' } })],
  ])('%s says', async (_, options) => {
    await hub.serve()
    expect((await hub.resolve(options(join(hub.cache, 'elsewhere')))).folder).toBe(
      join(hub.cache, 'elsewhere', 'models--org--model', 'snapshots', commit),
    )
  })
})

describe('tokens', () => {
  test.each([
    ['HF_TOKEN', async () => ({ HF_TOKEN: token })],
    ['the token file', async () => (await writeFile(join(hub.cache, 'token'), `${token}\n`), {})],
    [
      'HF_TOKEN_PATH',
      async () => (await writeFile(join(hub.cache, 'other'), token), { HF_TOKEN_PATH: join(hub.cache, 'other') }),
    ],
  ])('%s opens a private model; the other host never sees it', async (_, prepare) => {
    await hub.serve({ token })
    const model = await hub.resolve({ env: await prepare() })
    await model.download()
    expect(hub.requested('hub').every(({ authorization }) => authorization === `Bearer ${token}`)).toBe(true)
    expect(hub.requested('cdn').length).toBeGreaterThan(2)
    expect(hub.requested('cdn').every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  test('a next page on another host is read without the token', async () => {
    await hub.serve({ token, pageSize: 2, pagesElsewhere: true })
    expect((await hub.resolve({ env: { HF_TOKEN: token } })).files.length).toBe(7)
    const pages = hub.requested('cdn').filter(({ path }) => path.includes('/tree/'))
    expect(pages.length).toBeGreaterThan(1)
    expect(pages.map(({ authorization }) => authorization)).toEqual(pages.map(() => undefined))
  })

  test('a token that is no token is refused without being shown', async () => {
    expect(await failure(hub.resolve({ env: { HF_TOKEN: 'very secret' } }))).toMatchObject({ code: 'hub-token' })
  })

  test('an endpoint with a password is refused without being shown', async () => {
    expect(await failure(hub.resolve({ env: { HF_ENDPOINT: 'https://me:secret@example.org' } }))).toMatchObject({
      code: 'hub-endpoint',
    })
  })

  test.each(['not a url', 'ftp://example.org'])('the endpoint %s is refused', async (endpoint) => {
    expect(await failure(hub.resolve({ env: { HF_ENDPOINT: endpoint } }))).toMatchObject({ code: 'hub-endpoint' })
  })
})

describe('the hub says no', () => {
  test('401 without a token', async () => {
    await hub.serve({ token })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-unauthorized',
      message: expect.stringContaining('HF_TOKEN'),
    })
  })

  test('401 with another token, which the answer repeats', async () => {
    await hub.serve({ token })
    expect(await failure(hub.resolve({ env: { HF_TOKEN: 'hf_alsosecret' } }))).toMatchObject({
      code: 'hub-unauthorized',
      issue: { hasToken: true },
    })
  })

  test('403 for a gated model', async () => {
    await hub.serve({ gated: true })
    expect(await failure(hub.resolve())).toMatchObject({ code: 'hub-gated' })
  })

  test('404 for a model', async () => {
    await hub.serve()
    expect(await failure(hub.resolve({ id: 'org/none' }))).toMatchObject({ code: 'hub-not-found' })
  })

  test('404 for a revision', async () => {
    await hub.serve()
    expect(await failure(hub.resolve({ revision: 'v9' }))).toMatchObject({
      code: 'hub-not-found',
      message: expect.stringContaining("revision 'v9'"),
    })
  })

  test('an error that passes is tried again; one that stays is told', async () => {
    await hub.serve({ busy: { times: 2 } })
    expect((await hub.resolve()).commit).toBe(commit)
    await rm(hub.cache, { recursive: true })
    await hub.serve({ busy: { times: 100 } })
    expect(await failure(hub.resolve())).toMatchObject({ code: 'hub-status', issue: { status: 503 } })
  })

  test('nobody there', async () => {
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-unreachable',
      issue: { reason: expect.any(String) },
    })
  })

  test.each(['../evil', 'a/b/c', 'org/..', 'org/.hidden', 'a--b/c', 'a b'])('%s is no hub id', async (bad) => {
    expect(await failure(hub.resolve({ id: bad }))).toMatchObject({ code: 'hub-id' })
  })

  test.each(['../../x', 'a//b', '/etc', 'a b'])('%s is no revision', async (revision) => {
    expect(await failure(hub.resolve({ revision }))).toMatchObject({ code: 'hub-revision' })
  })
})

describe('a repository that is not right', () => {
  test('without weights', async () => {
    await hub.serve({ files: { 'config.json': '{}', 'model.onnx': 'x' } })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-no-weights',
      message: expect.stringContaining('model.onnx'),
    })
  })

  test('with an index that names a shard that is not there', async () => {
    await hub.serve({
      files: { 'model.safetensors.index.json': JSON.stringify({ weight_map: { a: 'one.safetensors' } }) },
    })
    expect(await failure(hub.resolve())).toMatchObject({
      code: 'hub-shard-missing',
      issue: { shard: 'one.safetensors' },
    })
  })

  test('with names and hashes that would leave the cache', async () => {
    await hub.serve({ listed: (entry) => (entry['path'] === 'tokenizer.json' ? { ...entry, path: '..' } : entry) })
    expect((await hub.resolve()).files).not.toContain('..')
    await hub.serve({ listed: (entry) => ({ ...entry, oid: '../../x', lfs: undefined }) })
    expect(await failure(hub.resolve({ revision: 'v1' }))).toMatchObject({ code: 'hub-answer' })
  })

  test('with another commit than could be one', async () => {
    await hub.serve({ commit: '../../../x' })
    expect(await failure(hub.resolve())).toMatchObject({ code: 'hub-answer' })
  })
})
