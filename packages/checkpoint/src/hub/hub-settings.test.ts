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
