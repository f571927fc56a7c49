import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { expect, test } from 'vitest'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { mergeAdapter, writeAdapter } from './__fixtures__/adapters.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const q = 'model.layers.0.self_attn.q_proj'
const linear = (models: readonly string[], rest = '') =>
  `merge_method: linear\nbase_model: base\nparameters: {weight: 1}\nmodels: [${models.map((model) => `{model: ${model}}`).join(', ')}]\nout_format: lora\n${rest}`

test('an adapter has the tokenizer of its base only where another one is asked for', async () => {
  await writeLlamas(folder.path, { base: { files: { 'tokenizer.json': '{}', 'tokenizer_config.json': '{}' } } })
  await writeAdapter(at('a'), { [q]: [4, 2, 4] })
  const { out, config } = await mergeAdapter(folder.path, linear(['base+a']))
  expect((await readdir(out)).toSorted()).toEqual([
    'README.md',
    'adapter_config.json',
    'adapter_model.safetensors',
    'mergekit_config.yml',
  ])
  expect(config).toMatchObject({ bias: 'none', fan_in_fan_out: false })
  const { metadata } = await readSafetensorsHeader(join(out, 'adapter_model.safetensors'))
  expect(metadata).toMatchObject({ format: 'pt' })
})

test('a single bias that changes is in an adapter, beside the factors', async () => {
  const bias = (value: number) => ({ [`${q}.bias`]: { shape: [4], value: () => value } })
  await writeLlamas(folder.path, { base: { extra: bias(1) }, fine: { extra: bias(2) } })
  await writeAdapter(at('a'), { [q]: [4, 2, 4] })
  const { tensors, config } = await mergeAdapter(folder.path, linear(['fine+a'], 'rank: 2'))
  expect(config['bias']).toBe('all')
  const names = [...tensors.keys()]
  expect(names.filter((name) => name.includes('bias'))).toEqual([`base_model.model.${q}.base_layer.bias`])
  expect(names).toContain(`base_model.model.${q}.lora_A.weight`)
})

test.each([
  [['BF16', 'BF16'], 'BF16'],
  [['F16', 'F16'], 'F16'],
  [['BF16', 'F16'], 'F32'],
] as const)('factors of %s are merged into ones that hold both, %s', async ([a, b], expected) => {
  await writeLlamas(folder.path, { base: { dtype: 'BF16' } })
  await writeAdapter(at('a'), { [q]: [4, 2, 4] }, { dtype: a })
  await writeAdapter(at('b'), { [q]: [4, 2, 4] }, { dtype: b, seed: 2 })
  const { tensors } = await mergeAdapter(folder.path, linear(['base+a', 'base+b']))
  expect([...new Set([...tensors.values()].map(({ dtype }) => dtype))]).toEqual([expected])
})
