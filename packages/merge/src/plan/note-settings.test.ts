import { expect, test } from 'vitest'
import { planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

test.each([
  'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}, {model: c}]',
  'merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 1]}]\n- sources: [{model: b, layer_range: [1, 2]}]\n- sources: [{model: c, layer_range: [1, 2]}]',
])('%s: settings that give equal shapes another meaning are named with both values', async (recipe) => {
  await writeLlamas(folder.path, {
    a: { config: { rope_theta: 10000, num_attention_heads: 2 } },
    b: { config: { rope_theta: 500000.0, num_attention_heads: 2 } },
    c: { config: { rope_theta: 500000.0, num_attention_heads: 4 } },
  })
  expect((await planIn(folder.path, recipe)).notes.filter((note) => note.startsWith('config.json'))).toEqual([
    'config.json: rope_theta is 10000 in a, which the output has, and 500000 in b, c; tensors of both kinds mean something else',
    'config.json: num_attention_heads is 2 in a, which the output has, and 4 in c; tensors of both kinds mean something else',
  ])
})
