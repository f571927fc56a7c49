import { parseHeader } from '@mk/safetensors'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { mergeIn } from '../__fixtures__/merge.ts'
import { readJson, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { planFiles, type UnplacedTensor } from './plan-files.ts'

const folder = useFolder()
const tensor = (name: string, elements: number): UnplacedTensor => ({
  name,
  dtype: 'F32',
  shape: [elements],
  operation: { kind: 'merge', models: [], parameters: {} },
})

test('what fits lies in one file without an index', () => {
  const { files, tensors, index } = planFiles([tensor('a', 2), tensor('b', 2)], 16)
  expect([files.map(({ name }) => name), tensors.map(({ file }) => file), index]).toEqual([
    ['model.safetensors'],
    [0, 0],
    undefined,
  ])
})

test('shards hold at most the size given, but for a tensor that is larger', () => {
  const { files, tensors } = planFiles(
    [tensor('a', 2), tensor('b', 3), tensor('c', 100), tensor('d', 1), tensor('e', 4)],
    20,
  )
  expect(tensors.map(({ name, file }) => `${name}${file}`)).toEqual(['a0', 'b0', 'c1', 'd2', 'e2'])
  expect(files.map(({ name }) => name)).toEqual([
    'model-00001-of-00003.safetensors',
    'model-00002-of-00003.safetensors',
    'model-00003-of-00003.safetensors',
  ])
})

test('no tensors make one file without any', () => {
  expect(planFiles([], 10)).toMatchObject({ files: [{ name: 'model.safetensors' }], tensors: [] })
})

test('shards and index agree with what is written', async () => {
  await writeLlamas(folder.path, { a: {} })
  const recipe = 'merge_method: passthrough\nmodels: [{model: a}]'
  const { tensors, plan, out } = await mergeIn(folder.path, recipe, { prepare: { shardBytes: 150 } })
  const whole = await mergeIn(folder.path, recipe, { out: `${folder.path}/whole` })
  expect(tensors).toEqual(whole.tensors)
  expect(plan.files.length).toBeGreaterThan(3)
  const { weight_map: weightMap, metadata } = (await readJson(`${out}/model.safetensors.index.json`)) as {
    weight_map: Record<string, string>
    metadata: { total_size: number }
  }
  expect(metadata.total_size).toBe(Object.values(tensors).reduce((sum, { values }) => sum + values.length * 4, 0))
  for (const { name, fileBytes } of plan.files) {
    const bytes = await readFile(`${out}/${name}`)
    expect(bytes.length).toBe(fileBytes)
    const header = parseHeader(bytes, bytes.length)
    expect(header.metadata).toEqual({ format: 'pt' })
    expect(header.tensors.map((entry) => entry.name)).toEqual(
      Object.keys(weightMap).filter((key) => weightMap[key] === name),
    )
  }
})

test('the first file alone has the record of what was copied', () => {
  const { files } = planFiles([tensor('a', 2), tensor('b', 2)], 8, ['notes.txt'])
  expect(files.map((file) => file.format === 'safetensors' && file.metadata)).toEqual([
    { format: 'pt', 'mk.copied': '["notes.txt"]' },
    { format: 'pt' },
  ])
})
