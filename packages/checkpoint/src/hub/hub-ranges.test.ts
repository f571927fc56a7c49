import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type HubServer, startHubServer } from './__fixtures__/hub-server.ts'
import { openHubRanges } from './hub-ranges.ts'

const id = 'org/model'
const commit = 'c'.repeat(40)
const bytes = Uint8Array.from({ length: 50 }, (_, index) => index)
const root = mkdtempSync(join(tmpdir(), 'mk-hub-ranges-'))
afterAll(() => rmSync(root, { recursive: true }))
let hub: HubServer
afterEach(() => hub?.close())

async function open(environment: Record<string, string> = {}) {
  hub = await startHubServer({
    id,
    commit,
    aliases: ['org/other'],
    files: { 'a.safetensors': bytes, 'sub/deep/b.bin': bytes.slice(0, 9), '/odd': bytes },
  })
  return openHubRanges({
    environment: { HF_ENDPOINT: hub.url, HF_HUB_CACHE: root, HF_TOKEN: '', HF_HOME: root, ...environment },
    retryDelayMs: 1,
  })
}
const place = (file: string, of = id) => ({ id: of, commit, file })
const listings = () => hub.requests.filter(({ path }) => path.includes('/tree/')).map(({ path }) => path)

describe('a file of the hub, read where it is', () => {
  test('has its length and its bytes, at the top and in folders', async () => {
    const ranges = await open()
    expect(await ranges.byteCount(place('a.safetensors'))).toBe(50)
    expect(await ranges.byteCount(place('sub/deep/b.bin'))).toBe(9)
    expect(await ranges.read(place('a.safetensors'), 3, 7)).toEqual(bytes.subarray(3, 7))
    expect(await ranges.read(place('sub/deep/b.bin'), 0, 9)).toEqual(bytes.subarray(0, 9))
    expect(hub.requests.filter(({ range }) => range !== undefined).map(({ range }) => range)).toContain('bytes=3-6')
  })

  test('is looked for once in each folder, commit and model', async () => {
    const ranges = await open()
    for (let turn = 0; turn < 2; turn++) {
      await ranges.byteCount(place('a.safetensors'))
      await ranges.byteCount(place('sub/deep/b.bin'))
      await ranges.byteCount(place('a.safetensors', 'org/other'))
    }
    expect(listings()).toEqual([
      `/api/models/org/model/tree/${commit}`,
      `/api/models/org/model/tree/${commit}/sub/deep?recursive=true`,
      `/api/models/org/other/tree/${commit}`,
    ])
  })

  test('that is not there is named', async () => {
    const ranges = await open()
    await expect(ranges.byteCount(place('none.bin'))).rejects.toMatchObject({
      code: 'hub-not-found',
      issue: { id, what: 'none.bin', hasToken: false },
    })
  })

  test('is not asked for where the network is not to be used', async () => {
    const ranges = await open({ HF_HUB_OFFLINE: '1' })
    await expect(ranges.read(place('a.safetensors'), 0, 1)).rejects.toMatchObject({
      code: 'hub-offline',
      issue: { id, revision: commit, cacheFolder: root },
    })
    expect(hub.requests).toEqual([])
  })

  test('has the path in the cache that a download would give it', async () => {
    const ranges = await open()
    expect(ranges.cacheFolder).toBe(root)
    expect(ranges.cachedPath(place('sub/deep/b.bin'))).toBe(
      join(root, 'models--org--model', 'snapshots', commit, 'sub', 'deep', 'b.bin'),
    )
  })
})
