import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSourceReader } from '@mk/source/node'
import { expect, it } from 'vitest'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import { writeQuantizedModel } from '../quantization/__fixtures__/quantized-model.ts'
import { id } from './__fixtures__/hub-model.ts'
import { useHub } from './__fixtures__/hub-harness.ts'

const hub = useHub()

it('opens quantized weights that are still at the hub, asking for the few bytes that tell their shape', async () => {
  const made = join(hub.cache, 'made')
  const { expected } = await writeQuantizedModel('bitsandbytes-nf4', made)
  const read = async (name: string) => new Uint8Array(await readFile(join(made, name)))
  const files = { 'config.json': await read('config.json'), 'model.safetensors': await read('model.safetensors') }
  await hub.serve({ files: { ...files, 'tokenizer.json': '{}' } })
  const environment = { HF_HOME: hub.cache, HF_ENDPOINT: hub.server.url }
  const options = { roots: [hub.cache], hub: { environment, retryDelayMs: 1 } }
  const checkpoint = await openCheckpoint({ path: id, adapters: [] }, options)
  const { shape, values } = expected.get('a.weight')!
  const source = checkpoint.tensors.get('a.weight')!
  expect(source.shape).toEqual(shape)
  const ofWeights = hub.requested('cdn').filter(({ path }) => path.includes('safetensors'))
  expect(ofWeights.every(({ range }) => range !== undefined)).toBe(true)
  expect(checkpoint.downloadBytes).toBe(files['model.safetensors'].length)

  await checkpoint.download!()
  const reader = createSourceReader()
  const bytes = new Uint8Array(values.byteLength)
  reader.read(source, 0, values.length, bytes)
  reader.close()
  expect(new Uint32Array(bytes.buffer)).toEqual(values)
})
