import { expect, it } from 'vitest'
import { useHub } from './__fixtures__/hub-harness.ts'
import { id, shardNames } from './__fixtures__/hub-model.ts'
import { openHubFile } from './open-hub-file.ts'

const hub = useHub()
const optionsOf = (env: Record<string, string> = {}) => ({
  environment: { HF_HOME: hub.cache, HF_ENDPOINT: hub.server.url, ...env },
  retryDelayMs: 1,
})

it('reads any part of a file by its range', async () => {
  await hub.serve()
  const file = await openHubFile(id, { file: shardNames[0] }, optionsOf())
  const bytes = await file.read(file.byteCount - 8, file.byteCount)
  expect([...new Float32Array(bytes.buffer)]).toEqual([49_998, 49_999])
  expect(hub.requested('cdn').map(({ range }) => range)).toEqual([`bytes=${file.byteCount - 8}-${file.byteCount - 1}`])
})

it('names a file that is not there', async () => {
  await hub.serve()
  await expect(openHubFile(id, { file: 'other.gguf' }, optionsOf())).rejects.toMatchObject({ code: 'hub-not-found' })
})

it('asks nothing where that is forbidden', async () => {
  await hub.serve()
  const offline = optionsOf({ HF_HUB_OFFLINE: '1' })
  await expect(openHubFile(id, { file: shardNames[0] }, offline)).rejects.toMatchObject({ code: 'hub-offline' })
  expect(hub.server.requests).toEqual([])
})
