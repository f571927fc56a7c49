import { describe, expect, test } from 'vitest'
import { expectIssue, planIn } from '../__fixtures__/merge.ts'
import { type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const q = 'self_attn.q_proj'
const layers = [0, 1].map((n) => `model.layers.${n}`)
const eachLayer = (part: string, shape: readonly number[]) =>
  Object.fromEntries(layers.map((layer) => [`${layer}.${part}`, { shape }]))
const stack =
  'merge_method: passthrough\nslices:\n- sources: [{model: a, layer_range: [0, 1]}]\n- sources: [{model: b, layer_range: [1, 2]}]\n'

describe('layers of one stack', () => {
  const wider: [string, LlamaOptions, string][] = [
    ['another hidden size', { hidden: 8 }, 'model.layers.0.input_layernorm.weight of b is [8]'],
    [
      'another intermediate size',
      { extra: eachLayer('mlp.down_proj.weight', [4, 9]) },
      'mlp.down_proj.weight of b is [4, 9]',
    ],
    ['other heads', { extra: eachLayer(`${q}.weight`, [2, 4]) }, `${q}.weight of b is [2, 4]`],
    ['biases', { extra: eachLayer(`${q}.bias`, [4]) }, `a lacks model.layers.N.${q}.bias, which b has`],
    [
      'no norm',
      { without: layers.map((layer) => `${layer}.input_layernorm.weight`) },
      'b lacks model.layers.N.input_layernorm.weight, which a has',
    ],
  ]
  test.each(wider)('%s: refused with both tensors, whatever is allowed', async (_, options, told) => {
    await writeLlamas(folder.path, { a: {}, b: options })
    for (const allowMixedArchitectures of [false, true])
      expect(await expectIssue(planIn(folder.path, stack, { allowMixedArchitectures }), 'layers-differ')).toContain(
        told,
      )
  })

  test('more than three matrices that differ are counted', async () => {
    const parts = ['k', 'v', 'o'].map((part) => `self_attn.${part}_proj.weight`)
    const all = (wide: number) => Object.assign({}, ...parts.map((part) => eachLayer(part, [4, wide]))) as object
    for (const [more, told] of [
      [0, ''],
      [2, ', and 2 more shapes differ'],
      [3, ', and 3 more shapes differ'],
    ] as const) {
      const without = layers.flatMap((layer) => parts.slice(more).map((part) => `${layer}.${part}`))
      await writeLlamas(folder.path, {
        a: { extra: { ...all(4) }, without },
        b: { hidden: 8, extra: { ...all(9) }, without },
      })
      expect(await expectIssue(planIn(folder.path, stack), 'layers-differ')).toMatch(
        new RegExp(`of b is \\[[\\d, ]+\\]${told}$`),
      )
    }
  })

  test('of what one lacks four names are told, and how many more there are', async () => {
    const parts = ['a', 'b', 'c', 'd', 'e', 'f'].map((part) => `mlp.${part}.weight`)
    for (const [count, told] of [
      [
        4,
        'a lacks model.layers.N.mlp.a.weight, model.layers.N.mlp.b.weight, model.layers.N.mlp.c.weight, model.layers.N.mlp.d.weight, which b has',
      ],
      [5, 'model.layers.N.mlp.d.weight and 1 more, which b has'],
      [6, 'model.layers.N.mlp.d.weight and 2 more, which b has'],
    ] as const) {
      const extra = Object.assign({}, ...parts.slice(0, count).map((part) => eachLayer(part, [4, 4]))) as object
      await writeLlamas(folder.path, { a: {}, b: { extra: { ...extra } } })
      expect(await expectIssue(planIn(folder.path, stack), 'layers-differ')).toContain(told)
    }
  })

  test('are compared where each has a single tensor, too', async () => {
    const without = layers.flatMap((layer) => [`${layer}.input_layernorm.weight`, `${layer}.${q}.weight`])
    await writeLlamas(folder.path, {
      a: { without },
      b: { without, extra: eachLayer('mlp.down_proj.weight', [4, 9]) },
    })
    expect(await expectIssue(planIn(folder.path, stack), 'layers-differ')).toContain('of b is [4, 9]')
  })

  test('may differ where those of one model do', async () => {
    const extra = {
      [`${layers[0]!}.${q}.bias`]: { shape: [4] },
      [`${layers[1]!}.mlp.down_proj.weight`]: { shape: [4, 9] },
    }
    await writeLlamas(folder.path, { a: { extra }, b: {} })
    expect((await planIn(folder.path, stack)).tensors.map(({ name }) => name)).toContain(`model.layers.0.${q}.bias`)
  })
})

test('a layer of another model that is other than its own others is refused, too, though it keeps its place', async () => {
  const narrow = { 'model.layers.1.mlp.down_proj.weight': { shape: [4, 5] } }
  await writeLlamas(folder.path, { a: {}, pruned: { extra: narrow } })
  const stack =
    'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}, {sources: [{model: pruned, layer_range: [1, 2]}]}]'
  const message = await expectIssue(planIn(folder.path, stack), 'stack-unreadable')
  expect(message).toContain('layer 1 would be layer 1 of pruned, which has mlp.down_proj.weight in another shape')
})
