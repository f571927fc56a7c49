import { createReaderOver } from '@mk/source'
import { createFileMap, type MappedFile } from '@mk/source/web'
import { afterEach, expect, test } from 'vitest'
import { commit, id, sharded } from '../hub/__fixtures__/hub-model.ts'
import { type HubServer, type HubServerOptions, startHubServer } from '../hub/__fixtures__/hub-server.ts'
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
