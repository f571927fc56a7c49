import { describe, expect, test } from 'vitest'
import { expectIssue, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const parametersOf = async (text: string, name: string) => {
  const operation = (await planIn(folder.path, text)).tensors.find((tensor) => tensor.name === name)!.operation
  return operation.kind === 'merge' ? operation.parameters : undefined
}
const down = 'model.layers.1.mlp.down_proj.weight'

test('the narrowest level counts, filters and gradients included; a default fills the rest', async () => {
  await writeLlamas(folder.path, { base: {}, a: {}, b: {} })
  const text = `merge_method: ties
base_model: base
parameters: {weight: 1, density: [{filter: mlp, value: [0.5, 0.75]}]}
models:
- {model: a, parameters: {weight: [{filter: down_proj, value: [0, 0.5]}]}}
- {model: b, parameters: {weight: [{filter: q_proj, value: 9}]}}`
  expect(await parametersOf(text, down)).toMatchObject({
    weight: [0.5, 1],
    density: [0.75, 0.75],
    lambda: 1,
    normalize: true,
  })
  expect(await parametersOf(text, 'model.norm.weight')).toMatchObject({ weight: [1, 1], density: [1, 1] })
})

describe('a parameter', () => {
  test('that no method knows is an error with the nearest name', async () => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(
      planIn(folder.path, 'merge_method: linear\nmodels:\n- model: a\n  parameters: {wieght: 1}'),
      'unknown-parameter',
      { parameter: 'wieght', nearest: 'weight' },
    )
    expect(message).toMatch(/recipe\.yml:4:\d+: linear has no parameter 'wieght'; did you mean 'weight'\?/)
  })

  test('of another method is noted', async () => {
    await writeLlamas(folder.path, { a: {} })
    const plan = await planIn(
      folder.path,
      'merge_method: linear\nparameters: {weight: 1, density: 0.5}\nmodels: [{model: a}]',
    )
    expect(plan.notes).toEqual([
      expect.stringMatching(/recipe\.yml:2:\d+: linear has no parameter 'density'; it is ignored/),
    ])
  })

  test('of the whole merge is noted in the block of one model', async () => {
    await writeLlamas(folder.path, { a: {} })
    const plan = await planIn(
      folder.path,
      'merge_method: linear\nmodels:\n- {model: a, parameters: {weight: 1, normalize: false}}',
    )
    expect(plan.notes).toEqual([
      expect.stringMatching(/recipe\.yml:3:\d+: 'normalize' holds for all models, so it is ignored here/),
    ])
    expect(plan.tensors[0]!.operation).toMatchObject({ parameters: { normalize: true } })
  })

  test('that must be given and is not, names tensor and model', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const message = await expectIssue(
      planIn(folder.path, 'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b}]'),
      'missing-parameter',
      { parameter: 'weight', modelName: 'b' },
    )
    expect(message).toBe(
      `linear needs the parameter 'weight' of model b for tensor model.embed_tokens.weight, which is not set; write 'weight' under the model's or the top level's 'parameters'`,
    )
  })

  test('of the whole merge that is not given names the tensor', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    const message = await expectIssue(
      planIn(folder.path, 'merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: b, parameters: {t: 1}}]'),
      'missing-parameter',
      { parameter: 't', modelName: undefined },
    )
    expect(message).toBe(
      `slerp needs the parameter 't' for tensor model.embed_tokens.weight, which is not set; write 't' under the top level's 'parameters'`,
    )
  })

  test('of whose filters none matches is missing', async () => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(
      planIn(
        folder.path,
        'merge_method: linear\nparameters: {weight: [{filter: mlp, value: 1}]}\nmodels: [{model: a}]',
      ),
      'missing-parameter',
    )
    expect(message).toContain(`no filter of 'weight' matches it; add an entry without a filter`)
  })

  test('of the wrong type names line and column', async () => {
    await writeLlamas(folder.path, { a: {} })
    const message = await expectIssue(
      planIn(folder.path, 'merge_method: linear\nparameters:\n  weight: heavy\nmodels: [{model: a}]'),
      'invalid-parameter',
      { parameter: 'weight', value: 'heavy' },
    )
    expect(message).toContain('recipe.yml:3:')
  })
})
