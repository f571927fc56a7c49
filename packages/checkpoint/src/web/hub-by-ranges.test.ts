import { layoutGguf } from '@mk/gguf'
import { createReaderOver } from '@mk/source'
import { createFileMap, type MappedFile } from '@mk/source/web'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { commit, id, sharded } from '../hub/__fixtures__/hub-model.ts'
import { type HubServer, type HubServerOptions, startHubServer } from '../hub/__fixtures__/hub-server.ts'
import type { ResolveHubOptions } from '../hub/hub-model.ts'
import { openCheckpointFrom } from '../open/open-checkpoint.ts'
import { createHubByRanges } from './hub-by-ranges.ts'

let hub: HubServer
afterEach(() => hub?.close())

async function open(options: Partial<HubServerOptions> = {}, token?: string) {
  hub = await startHubServer({ id, commit, files: sharded, ...options })
  const files = new Map<string, MappedFile>()
  const resolveHub = createHubByRanges({ files, endpoint: `${hub.url}/`, token })
  const places = { store: createFileMap(files), resolveHub }
  return { files, opened: await openCheckpointFrom(places, { path: id, adapters: [] }, { roots: ['/'] }) }
}

test('a model opens from its headers, and nothing is downloaded', async () => {
  const { opened, files } = await open()
  expect([...opened.tensors.keys()]).toEqual(['a', 'b'])
  expect(opened.hub).toEqual({ id, commit })
  expect(opened.gguf).toBeUndefined()
  expect(opened.downloadBytes ?? 0).toBe(0)
  const weights = hub.requests.filter(({ host }) => host === 'cdn')
  expect(weights.length).toBeGreaterThan(0)
  for (const { range } of weights) expect(range).toMatch(/^bytes=/)
  expect([...new Set(hub.requests.map(({ method }) => method))]).toEqual(['GET'])
  expect([...files.keys()].every((path) => path.startsWith(`/hub/${id}/${commit}/`))).toBe(true)
  expect(() => createReaderOver(createFileMap(files).openFiles())).not.toThrow()
})

test('a token goes to the endpoint, and not to where weights are', async () => {
  await open({ token: 'hf_secret' }, 'hf_secret')
  const sentTo = (wanted: string) =>
    new Set(hub.requests.filter(({ host }) => host === wanted).map(({ authorization }) => authorization))
  expect([...sentTo('cdn')]).toEqual([undefined])
  expect([...sentTo('hub')]).toEqual(['Bearer hf_secret'])
})

test.each([
  ['nonsense', undefined, 'is no URL'],
  ['http://hub.example', 'hf_secret', 'without encryption'],
])('the address %s is refused', (endpoint, token, problem) => {
  expect(() => createHubByRanges({ files: new Map(), endpoint, token })).toThrow(
    expect.objectContaining({ code: 'hub-endpoint', message: expect.stringContaining(problem) }),
  )
})

describe('a model that is found', () => {
  async function find(files: HubServerOptions['files'], of: Partial<ResolveHubOptions> = {}, revision?: string) {
    hub = await startHubServer({ id, commit, files })
    const entered = new Map<string, MappedFile>()
    const found = await createHubByRanges({ files: entered, endpoint: hub.url })(id, revision, of)
    return { found, entered }
  }

  test('has its files where they are, of the lengths that the hub lists, and nothing that could come', async () => {
    const { found, entered } = await find(sharded)
    const folder = `/hub/${id}/${commit}`
    expect(found).toMatchObject({ id, commit, folder, gguf: undefined, downloadBytes: 0, notes: [] })
    expect([found.headers.size, found.pickles.size, found.ggufHeaders.size]).toEqual([0, 0, 0])
    expect([...entered.keys()].toSorted()).toEqual(found.files.map((name) => `${folder}/${name}`).toSorted())
    for (const name of found.files)
      expect(entered.get(`${folder}/${name}`)).toEqual({
        url: `${hub.url}/${id}/resolve/${commit}/${name}`,
        byteCount: Buffer.from(sharded[name]!).length,
        headers: {},
      })
    expect(await found.download()).toBeUndefined()
    await expect(found.readRange('x', 0, 1)).rejects.toThrow('x is read where it is')
  })

  test('may be a GGUF, the only one or one that is named', async () => {
    const { header } = layoutGguf(new Map(), [])
    const files = { 'README.md': '# about', 'a.gguf': header }
    const { found, entered } = await find(files)
    expect([found.gguf, found.files]).toEqual(['a.gguf', ['README.md', 'a.gguf']])
    expect(entered.get(`/hub/${id}/${commit}/a.gguf`)).toMatchObject({ byteCount: header.length })
    await hub.close()
    expect((await find({ ...files, 'b.gguf': header }, { gguf: 'b.gguf' })).found.gguf).toBe('b.gguf')
    await hub.close()
    await expect(find({ ...files, 'b.gguf': header })).rejects.toMatchObject({ code: 'gguf-several' })
  })

  test('is that of a revision, the main branch where none is named', async () => {
    await find(sharded)
    expect(hub.requests.map(({ path }) => path)).toContainEqual(
      expect.stringContaining(`/api/models/${id}/revision/main`),
    )
    await hub.close()
    await find(sharded, {}, commit)
    expect(hub.requests.some(({ path }) => path.includes('/revision/'))).toBe(false)
  })

  test('may be an adapter', async () => {
    const files = { 'adapter_config.json': '{}', 'adapter_model.safetensors': sharded['README.md']! }
    expect((await find(files, { purpose: 'adapter' })).found.files).toContain('adapter_model.safetensors')
    await hub.close()
    await expect(find(files)).rejects.toMatchObject({ code: 'hub-no-weights' })
  })
})

describe('requests', () => {
  const ask = async (endpoint?: string, token?: string) => {
    const fetched = vi.fn<typeof fetch>(async () => new Response('', { status: 401 }))
    vi.stubGlobal('fetch', fetched)
    const resolve = createHubByRanges({ files: new Map(), ...(endpoint && { endpoint }), token })
    const error: unknown = await resolve(id, undefined, {}).catch((reason: unknown) => reason)
    vi.unstubAllGlobals()
    const [url, init] = fetched.mock.calls[0]!
    return { url: String(url), headers: new Headers(init?.headers), error }
  }

  test('go to Hugging Face where no other address is given', async () => {
    expect((await ask()).url).toContain(`https://huggingface.co/api/models/${id}/revision/main`)
    expect((await ask('https://hub.example/')).url).toContain(`https://hub.example/api/models/${id}/revision/main`)
  })

  test('have the token where there is one, and the refusal says whether there was', async () => {
    const withToken = await ask(undefined, 'hf_secret')
    expect(withToken.headers.get('authorization')).toBe('Bearer hf_secret')
    expect(withToken.error).toMatchObject({ code: 'hub-unauthorized', issue: { hasToken: true } })
    for (const none of ['', undefined]) {
      const { headers, error } = await ask(undefined, none)
      expect(headers.has('authorization')).toBe(false)
      expect(error).toMatchObject({ code: 'hub-unauthorized', issue: { hasToken: false } })
    }
  })

  test('have no token where it would be in the clear, but on this machine', async () => {
    expect((await ask('http://localhost:1', 'hf_secret')).headers.get('authorization')).toBe('Bearer hf_secret')
    expect((await ask('http://hub.example')).headers.has('authorization')).toBe(false)
  })
})

test('files whose names hold the token are not entered', async () => {
  const { files } = await open(
    { files: { ...sharded, 'tokenizer/hf_secret.json': '{}' }, token: 'hf_secret' },
    'hf_secret',
  )
  expect([...files.keys()].join()).not.toContain('hf_secret')
  await hub.close()
  const all = await open({ files: { ...sharded, 'tokenizer/hf_secret.json': '{}' } })
  expect([...all.files.keys()].join()).toContain('hf_secret')
})
