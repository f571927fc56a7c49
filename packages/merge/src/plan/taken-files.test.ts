import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatIndex, layoutFile } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { expect, test } from 'vitest'
import { writeCase } from '../__fixtures__/gguf-cases.ts'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { type LlamaOptions, readJson, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { findTakenFiles } from './taken-files.ts'

const folder = useFolder()
const at = (...names: string[]) => join(folder.path, ...names)
const shardName = (nth: number) => `model-0000${nth}-of-00002.safetensors`
const alone = 'merge_method: passthrough\nmodels: [{model: a}]\n'

/** Writes models as safetensors does: by name, in shards that end within a layer. */
async function writeSharded(models: Readonly<Record<string, LlamaOptions>>): Promise<void> {
  await writeLlamas(folder.path, models)
  for (const name of Object.keys(models)) await cutByName(name)
}

/** Cuts the file of a model into two. */
async function cutByName(name: string): Promise<void> {
  const whole = at(name, 'model.safetensors')
  const bytes = await readFile(whole)
  const { tensors } = await readSafetensorsHeader(whole)
  const sorted = tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const weightMap = new Map<string, string>()
  for (const [shard, part] of [sorted.slice(0, 4), sorted.slice(4)].entries()) {
    const layout = layoutFile(part, { format: 'pt' })
    const file = new Uint8Array(layout.fileBytes)
    file.set(layout.header)
    for (const [i, { byteStart, byteEnd }] of part.entries()) {
      file.set(bytes.subarray(byteStart, byteEnd), layout.tensors[i]!.byteStart)
      weightMap.set(part[i]!.name, shardName(shard + 1))
    }
    await writeFile(at(name, shardName(shard + 1)), file)
  }
  await writeFile(at(name, 'model.safetensors.index.json'), formatIndex(weightMap, {}))
  await rm(whole)
}

const filesOf = async (recipe: string, prepare = {}) =>
  (await planIn(folder.path, recipe, prepare)).files.map(({ name }) => name)

test('a model that is taken as it is keeps its files, byte for byte', async () => {
  await writeSharded({ a: {} })
  const { plan, out } = await mergeIn(folder.path, alone)
  expect(plan.files.map(({ name }) => name)).toEqual([shardName(1), shardName(2)])
  for (const { name } of plan.files) expect(await readFile(join(out, name))).toEqual(await readFile(at('a', name)))
  const maps = [join(out, 'model.safetensors.index.json'), at('a', 'model.safetensors.index.json')]
  const [written, given] = await Promise.all(maps.map(readJson))
  expect(written!['weight_map']).toEqual(given!['weight_map'])
  expect(findTakenFiles(plan)).toEqual(
    new Map([
      [0, at('a', shardName(1))],
      [1, at('a', shardName(2))],
    ]),
  )
})

test.each([
  ['where another size of files is asked for', alone, { shardBytes: 5e9 }],
  ['where it is scaled', `${alone}parameters: {scale: 2}\n`, {}],
  [
    'where one tensor of it is scaled',
    `${alone}parameters: {scale: [{filter: down_proj, value: 2}, {value: 1}]}\n`,
    {},
  ],
  ['where it is rounded', `${alone}out_dtype: bfloat16\n`, {}],
  [
    'where layers are left out',
    'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n',
    {},
  ],
  [
    'where layers change places',
    'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [1, 2]}]}, {sources: [{model: a, layer_range: [0, 1]}]}]\n',
    {},
  ],
  [
    'where layers are of two models',
    'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}, {sources: [{model: b, layer_range: [1, 2]}]}]\n',
    {},
  ],
  ['where several are merged', 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\n', {}],
])('an output has files of its own %s', async (_, recipe, prepare) => {
  await writeSharded({ a: {}, b: {} })
  expect(await filesOf(recipe, prepare)).toEqual(['model.safetensors'])
  expect(findTakenFiles(await planIn(folder.path, recipe, prepare))).toEqual(new Map())
})

test('a GGUF of a model has its tensors in the order of layers, however they lie', async () => {
  await writeCase(at('a'), 'llama3')
  await cutByName('a')
  const names = async (prepare: object) => (await planIn(folder.path, alone, prepare)).tensors.map(({ name }) => name)
  const asGguf = { outFormat: 'gguf', outDtype: 'float32' }
  expect(await names({})).not.toEqual(await names({ shardBytes: 5e9 }))
  expect(await names(asGguf)).toEqual(await names({ ...asGguf, shardBytes: 5e9 }))
})

test('a file of which one tensor is made of something else is no file of the input', async () => {
  await writeSharded({ a: {} })
  const plan = await planIn(folder.path, alone)
  const last = plan.tensors.at(-1)!
  const scaled = { kind: 'merge', models: [], parameters: {} } as const
  const first = new Map([[0, at('a', shardName(1))]])
  for (const other of [
    { ...last, operation: scaled },
    { ...last, byteStart: last.byteStart + 8 },
    { ...last, dtype: 'BF16' as const },
    { ...last, share: { from: 0, to: 0.5 } },
  ]) {
    expect(findTakenFiles({ ...plan, tensors: [...plan.tensors.slice(0, -1), other] })).toEqual(first)
    // Whether it comes first or last.
    expect(findTakenFiles({ ...plan, tensors: [other, ...plan.tensors.slice(0, -1)] })).toEqual(first)
  }
})
