import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

describe('a base that is the only source', () => {
  test.each(['task_arithmetic', 'ties', 'dare_ties', 'della', 'breadcrumbs', 'sce', 'ram'])(
    '%s gives the base, with a note',
    async (method) => {
      await writeLlamas(folder.path, { a: {} })
      const recipe = `merge_method: ${method}\nbase_model: a\ndtype: float16\nslices: [{sources: [{model: a, layer_range: [0, 2]}]}]`
      const { plan, tensors } = await mergeIn(folder.path, recipe)
      expect(plan.tensors.map(({ operation }) => operation.kind)).toEqual(plan.tensors.map(() => 'copy'))
      expect(tensors['model.norm.weight']!.dtype).toBe('F16')
      expect(plan.notes).toEqual([
        `${method} has nothing to merge into a where it is the only source and the base; it is taken as it is`,
      ])
    },
  )

  test.each(['slerp', 'nearswap', 'arcee_fusion'])('%s still wants the other model', async (method) => {
    await writeLlamas(folder.path, { a: {} })
    await expectIssue(
      planIn(folder.path, `merge_method: ${method}\nbase_model: a\nmodels: [{model: a}]`),
      'model-count',
    )
  })
})

describe('linear with a base that is in no list', () => {
  const weighted = 'merge_method: linear\nbase_model: a\nparameters: {weight: 1}\n'
  const inputsOf = async (recipe: string) =>
    (await planIn(folder.path, recipe)).tensors.map(({ operation }) =>
      operation.kind === 'merge' ? operation.models.map(({ input }) => input).join() : operation.kind,
    )

  test('merges it for models:, as mergekit does', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    expect(new Set(await inputsOf(`${weighted}models: [{model: b}]`))).toEqual(new Set(['1,0']))
  })

  test.each([
    ['slices: [{sources: [{model: b, layer_range: [0, 2]}]}]'],
    ['modules: {default: {slices: [{sources: [{model: b, layer_range: [0, 2]}], parameters: {weight: 1}}]}}'],
  ])('leaves it out for %s', async (slices) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    expect(new Set(await inputsOf(weighted + slices))).toEqual(new Set(['1']))
  })
})

test('tensors of other names are named, not counted as layers', async () => {
  const names = [0, 1].flatMap((n) =>
    ['mixer.Wqkv', 'mixer.out_proj', 'mlp.down_proj'].map((part) => `transformer.h.${n}.${part}.weight`),
  )
  await writeLlamas(folder.path, {
    a: {},
    b: {
      extra: Object.fromEntries(names.map((name) => [name, { shape: [4, 4] }])),
      without: [0, 1].flatMap((n) =>
        ['input_layernorm', 'self_attn.q_proj', 'mlp.down_proj'].map((part) => `model.layers.${n}.${part}.weight`),
      ),
    },
  })
  for (const recipe of [
    'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]',
    'merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}, {sources: [{model: b, layer_range: [1, 2]}]}]',
  ]) {
    expect(await expectIssue(planIn(folder.path, recipe), 'other-names')).toContain(
      'a has model.layers.{0–1}.input_layernorm.weight, model.layers.{0–1}.self_attn.q_proj.weight, model.layers.{0–1}.mlp.down_proj.weight, … where b has transformer.h.{0–1}.mixer.Wqkv.weight, transformer.h.{0–1}.mixer.out_proj.weight, transformer.h.{0–1}.mlp.down_proj.weight, …',
    )
  }
})
