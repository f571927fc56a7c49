import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { equals, useHub } from './__fixtures__/hub-harness.ts'
import { safetensors, sharded } from './__fixtures__/hub-model.ts'

const hub = useHub()

test('small files in folders come with it, as they are copied from a folder of this machine', async () => {
  const folders = {
    '1_Pooling/config.json': '{"pooling": true}',
    '2_Dense/model.safetensors': safetensors('dense', 4),
    'modules.json': '[{"path": "1_Pooling"}, {"path": "2_Dense"}]',
    'voices/deep/af%20#1.json': 'a voice',
    'tokenizer/vocab.txt': 'words',
    'unet/config.json': '{}',
    'unet/diffusion.safetensors': safetensors('other', 4),
    'onnx/config.json': '{}',
    '.eval/x.json': '{}',
    ...Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`samples/${index}.json`, '{}'])),
  }
  await hub.serve({ files: { ...sharded, ...folders }, pageSize: 3 })
  const model = await hub.resolve()
  const has = (name: string) => readFile(join(model.folder, name), 'utf8').catch(() => undefined)
  expect(await has('1_Pooling/config.json')).toBe('{"pooling": true}')
  expect(await has('voices/deep/af%20#1.json')).toBe('a voice')
  expect(await has('tokenizer/vocab.txt')).toBe('words')
  expect(await readFile(join(model.folder, '2_Dense/model.safetensors'))).toSatisfy(
    equals(folders['2_Dense/model.safetensors']),
  )
  expect(await has('unet/config.json')).toBeUndefined()
  expect(hub.requested('hub').filter(({ path }) => /onnx|\.eval|resolve.*samples/.test(path))).toEqual([])
  expect(model.notes).toEqual([
    'org/model: samples/ has 201 files, more than settings are, and is left out',
    'org/model: unet/ holds weights of its own, which are not merged; it is left out, copy it if the model needs it',
  ])
  await model.download()
  const before = hub.server.requests.length
  await hub.resolve()
  expect(hub.server.requests.length).toBe(before)
  await rm(join(model.folder, '1_Pooling'), { recursive: true })
  await hub.resolve()
  expect(await has('1_Pooling/config.json')).toBe('{"pooling": true}')
})

test('names of files in folders are paths of the cache, and nothing else', async () => {
  const listed = (entry: Record<string, unknown>) =>
    entry['path'] === 'voices/a.json' ? { ...entry, path: 'voices/../../../evil.json' } : entry
  await hub.serve({ files: { ...sharded, 'voices/a.json': '{}', 'voices/b.json': '{}' }, listed })
  const model = await hub.resolve()
  expect(await readdir(join(model.folder, 'voices'))).toEqual(['b.json'])
})
