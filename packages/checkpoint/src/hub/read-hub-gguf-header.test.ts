import { layoutGguf } from '@mk/gguf'
import { expect, it } from 'vitest'
import { useHub } from './__fixtures__/hub-harness.ts'
import { id } from './__fixtures__/hub-model.ts'
import { readHubGgufHeader } from './read-hub-gguf-header.ts'

const hub = useHub()
const optionsOf = (env: Record<string, string> = {}) => ({
  environment: { HF_HOME: hub.cache, HF_ENDPOINT: hub.server.url, ...env },
  retryDelayMs: 1,
})
const { header, fileBytes } = layoutGguf(new Map([['a', { type: 'uint32', value: 1 }]]), [
  { name: 'w', type: 'F32', shape: [4] },
])
const file = new Uint8Array(fileBytes)
file.set(header)

it('reads the header of one file of a model', async () => {
  await hub.serve({ files: { 'a.gguf': file, 'b.gguf': 'no GGUF' } })
  const read = await readHubGgufHeader(id, { file: 'a.gguf' }, optionsOf())
  expect(read).toMatchObject({ version: 3, fileBytes, tensors: [{ name: 'w', shape: [4] }] })
})

it('names a file that is not there, and one that is none', async () => {
  await hub.serve({ files: { 'a.gguf': file, 'b.gguf': '<!DOCTYPE html><html></html>' } })
  await expect(readHubGgufHeader(id, { file: 'c.gguf' }, optionsOf())).rejects.toMatchObject({ code: 'hub-not-found' })
  await expect(readHubGgufHeader(id, { file: 'b.gguf' }, optionsOf())).rejects.toMatchObject({ code: 'disguised-file' })
})

it('asks nothing where that is forbidden', async () => {
  await hub.serve()
  const offline = optionsOf({ HF_HUB_OFFLINE: '1' })
  await expect(readHubGgufHeader(id, { file: 'a.gguf' }, offline)).rejects.toMatchObject({ code: 'hub-offline' })
  expect(hub.server.requests).toEqual([])
})
