import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readHubSettings } from './hub-settings.ts'

const token = 'hf_verysecret'
const settingsOf = (environment: Record<string, string>) =>
  readHubSettings({ environment: { HF_HOME: '/nowhere', HF_TOKEN: token, ...environment } })

describe('the token', () => {
  test.each([
    'https://huggingface.co/api/models/org/model',
    'https://huggingface.co:443/org/model/resolve/main/config.json',
    'https://HuggingFace.co/api',
  ])('goes to %s', async (url) => {
    expect((await settingsOf({})).authorize(url)).toEqual({ authorization: `Bearer ${token}` })
  })

  test.each([
    'http://huggingface.co/api/models/org/model',
    'https://huggingface.co:8443/api',
    'https://cdn-lfs.huggingface.co/blob',
    'https://huggingface.co.example.org/api',
    'https://huggingface.co@example.org/api',
    'https://example.org/?https://huggingface.co/',
    'https://example.org/https://huggingface.co/api',
  ])('does not go to %s', async (url) => {
    expect((await settingsOf({})).authorize(url)).toEqual({})
  })

  test('goes to the configured endpoint, and then not to the usual one', async () => {
    const { authorize } = await settingsOf({ HF_ENDPOINT: 'https://mirror.example.org/hub/' })
    expect(authorize('https://mirror.example.org/hub/api/models')).toEqual({ authorization: `Bearer ${token}` })
    expect(authorize('https://huggingface.co/api/models')).toEqual({})
  })

  test.each(['http://mirror.example.org', 'http://10.0.0.7:8080', 'http://localhost.example.org', 'http://[::2]'])(
    'is not sent in the clear: %s is refused as an endpoint',
    async (endpoint) => {
      const refused = settingsOf({ HF_ENDPOINT: endpoint })
      await expect(refused).rejects.toMatchObject({ code: 'hub-endpoint', message: expect.not.stringContaining(token) })
      const settings = await settingsOf({ HF_ENDPOINT: endpoint, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })
      expect(settings.authorize(`${endpoint}/api`)).toEqual({})
    },
  )

  test.each(['http://localhost:8080', 'http://127.0.0.1:9', 'http://[::1]:9'])(
    'goes to this machine without encryption: %s',
    async (endpoint) => {
      const { authorize } = await settingsOf({ HF_ENDPOINT: endpoint })
      expect(authorize(`${endpoint}/api`)).toEqual({ authorization: `Bearer ${token}` })
    },
  )

  test('goes nowhere where it is switched off, empty or absent', async () => {
    for (const environment of [{ HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }, { HF_TOKEN: ' ' }]) {
      const settings = await settingsOf(environment)
      expect([settings.hasToken, settings.authorize('https://huggingface.co/api')]).toEqual([false, {}])
    }
    const { hasToken, authorize } = await readHubSettings({ environment: { HF_HOME: '/nowhere' } })
    expect([hasToken, authorize('https://huggingface.co/api')]).toEqual([false, {}])
  })
})

describe('the environment', () => {
  const of = (environment: Record<string, string>, transformersCache?: string) =>
    readHubSettings({ environment, ...(transformersCache !== undefined && { transformersCache }) })

  test.each<[Record<string, string>, string]>([
    [{ HF_HOME: '/home' }, '/home/hub'],
    [{ XDG_CACHE_HOME: '/cache' }, '/cache/huggingface/hub'],
    [{ HF_HOME: '/home', XDG_CACHE_HOME: '/cache' }, '/home/hub'],
    [{ HF_HOME: '/home', HUGGINGFACE_HUB_CACHE: '/older' }, '/older'],
    [{ HUGGINGFACE_HUB_CACHE: '/older', HF_HUB_CACHE: '/newer' }, '/newer'],
    [{ HF_HUB_CACHE: '', HF_HOME: '/home' }, '/home/hub'],
    [{}, join(homedir(), '.cache', 'huggingface', 'hub')],
  ])('%j puts the cache at %s', async (environment, cacheFolder) => {
    expect(await of({ HF_TOKEN: ' ', ...environment })).toMatchObject({ cacheFolder })
    expect(await of({ HF_TOKEN: ' ', ...environment }, '/given')).toMatchObject({ cacheFolder: '/given' })
  })

  test.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ HF_HUB_OFFLINE: '1' }, true],
    [{ HF_HUB_OFFLINE: 'Yes' }, true],
    [{ TRANSFORMERS_OFFLINE: 'on' }, true],
    [{ TRANSFORMERS_OFFLINE: 'TRUE', HF_HUB_OFFLINE: '0' }, true],
    [{ HF_HUB_OFFLINE: '0' }, false],
    [{ HF_HUB_OFFLINE: '11' }, false],
  ])('%j is offline: %s', async (environment, offline) => {
    expect(await of({ HF_HOME: '/nowhere', ...environment })).toMatchObject({ offline })
  })

  test.each([
    ['', 'https://huggingface.co'],
    ['https://mirror.example.org/', 'https://mirror.example.org'],
    ['https://mirror.example.org/hub//', 'https://mirror.example.org/hub'],
  ])('an endpoint %j is %s', async (given, endpoint) => {
    expect(await of({ HF_HOME: '/nowhere', HF_ENDPOINT: given })).toMatchObject({ endpoint })
  })

  test.each(['mirror', 'ftp://mirror.example.org', 'https://me@example.org', 'https://:secret@example.org'])(
    'an endpoint %s is refused',
    async (given) => {
      await expect(of({ HF_HOME: '/nowhere', HF_ENDPOINT: given })).rejects.toMatchObject({ code: 'hub-endpoint' })
    },
  )

  test('a token has an older name, and a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mk-hub-'))
    try {
      await writeFile(join(folder, 'token'), 'hf_ofHome\n')
      await writeFile(join(folder, 'other'), ' hf_ofFile ')
      const headerOf = async (environment: Record<string, string>) =>
        (await of({ HF_HOME: folder, ...environment })).authorize('https://huggingface.co/x')['authorization']
      expect(await headerOf({})).toBe('Bearer hf_ofHome')
      expect(await headerOf({ HF_TOKEN_PATH: join(folder, 'other') })).toBe('Bearer hf_ofFile')
      expect(await headerOf({ HUGGING_FACE_HUB_TOKEN: 'hf_older' })).toBe('Bearer hf_older')
      expect(await headerOf({ HUGGING_FACE_HUB_TOKEN: 'hf_older', HF_TOKEN: 'hf_newer' })).toBe('Bearer hf_newer')
      await expect(headerOf({ HF_TOKEN: 'hf_ a' })).rejects.toMatchObject({ code: 'hub-token' })
      await expect(headerOf({ HF_TOKEN: 'hf_\u00e4' })).rejects.toMatchObject({ code: 'hub-token' })
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
