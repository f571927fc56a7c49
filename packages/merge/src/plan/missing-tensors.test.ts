import { describe, expect, test } from 'vitest'
import { expectIssue, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const pooler = 'model.pooler.dense.weight'
const bias = 'model.layers.0.self_attn.q_proj.bias'
const own = (name: string) => ({ extra: { [name]: { shape: [4] } } })
const linear = (missing: string) =>
  `merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]\nmissing: ${missing}`
const ties = (missing: string) =>
  `merge_method: ties\nbase_model: a\nmodels: [{model: b, parameters: {weight: 1}}]\nmissing: ${missing}`

describe.each([
  ['linear', linear],
  ['ties', ties],
])('a tensor that one model lacks (%s)', (_, recipe) => {
  test('base: is the base’s, as it is', async () => {
    await writeLlamas(folder.path, { a: own(pooler), b: {} })
    const plan = await planIn(folder.path, recipe('base'))
    expect(plan.tensors.find(({ name }) => name === pooler)?.operation).toMatchObject({
      kind: 'copy',
      input: { input: 0 },
    })
    expect(plan.notes).toEqual([`${pooler}: taken from a, since b lacks it and the recipe says 'missing: base'`])
  })

  test.each(['base', 'skip'])('%s: is left out where the base has none', async (missing) => {
    await writeLlamas(folder.path, { a: {}, b: { extra: { ...own(pooler).extra, ...own(bias).extra } } })
    const plan = await planIn(folder.path, recipe(missing))
    expect(plan.tensors.filter(({ name }) => name === pooler || name === bias)).toEqual([])
    expect(plan.notes).toEqual([`${bias}, ${pooler}: left out, since a lacks them and the recipe has 'missing'`])
  })

  test('skip: is left out where no layer needs it', async () => {
    await writeLlamas(folder.path, { a: own(pooler), b: {} })
    const plan = await planIn(folder.path, recipe('skip'))
    expect(plan.tensors.some(({ name }) => name === pooler)).toBe(false)
    expect(plan.notes).toEqual([`${pooler}: left out, since b lacks it and the recipe has 'missing'`])
  })

  test('skip: stays an error where a layer of the base needs it', async () => {
    await writeLlamas(folder.path, { a: own(bias), b: {} })
    await expectIssue(planIn(folder.path, recipe('skip')), 'missing-tensor', {
      missing: [{ model: 'b', other: 'a', tensors: [bias] }],
    })
  })

  test.each(['model.norm.weight', 'model.embed_positions.weight', 'model.ln_f.bias'])(
    'skip: stays an error for %s, which loaders ask for',
    async (name) => {
      await writeLlamas(folder.path, { a: own(name), b: { without: [name] } })
      await expectIssue(planIn(folder.path, recipe('skip')), 'missing-tensor', {
        missing: [{ model: 'b', other: 'a', tensors: [name] }],
      })
      const { tensors } = await planIn(folder.path, recipe('base'))
      expect(tensors.find((tensor) => tensor.name === name)?.operation.kind).toBe('copy')
    },
  )

  test('skip: leaves out norms of heads', async () => {
    const norm = 'cls.predictions.transform.LayerNorm.weight'
    await writeLlamas(folder.path, { a: own(norm), b: {} })
    expect((await planIn(folder.path, recipe('skip'))).tensors.some(({ name }) => name === norm)).toBe(false)
  })

  test.each(['base', 'skip'])('%s: never holds for embeddings and heads', async (missing) => {
    await writeLlamas(folder.path, { a: {}, b: { without: ['model.embed_tokens.weight'] } })
    const message = await expectIssue(planIn(folder.path, recipe(missing)), 'missing-tensor')
    expect(message).toMatch(/embeddings and heads are never left out$/)
  })
})

test('slerp copies what only one of its models has, unless the recipe says otherwise', async () => {
  const slerp = (more: string) =>
    `merge_method: slerp\nbase_model: a\nparameters: {t: 0.5}\nmodels: [{model: a}, {model: b}]\n${more}`
  await writeLlamas(folder.path, { a: {}, b: own(pooler) })
  const hasPooler = async (more: string) =>
    (await planIn(folder.path, slerp(more))).tensors.some(({ name }) => name === pooler)
  expect(await hasPooler('')).toBe(true)
  expect(await hasPooler('missing: base')).toBe(false)
  expect(await hasPooler('missing: skip')).toBe(false)
})

describe('others', () => {
  test('merges what the other models have, and copies what only one has where the method needs more', async () => {
    await writeLlamas(folder.path, { a: own(pooler), b: own(pooler), c: {} })
    const three = (head: string) =>
      `${head}\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}, {model: c}]\nmissing: others`
    const operationOf = async (recipe: string) =>
      (await planIn(folder.path, recipe)).tensors.find(({ name }) => name === pooler)?.operation
    expect(await operationOf(three('merge_method: linear'))).toMatchObject({
      kind: 'merge',
      models: [{ input: 0 }, { input: 1 }],
      parameters: { weight: [1, 1] },
    })
    expect(await operationOf(three('merge_method: ties\nbase_model: a'))).toMatchObject({
      base: { input: 0 },
      models: [{ input: 1 }],
    })
    await expectIssue(planIn(folder.path, three('merge_method: ties\nbase_model: c')), 'missing-tensor')
    await writeLlamas(folder.path, { b: {} })
    expect(await operationOf(three('merge_method: ties\nbase_model: c'))).toMatchObject({
      kind: 'copy',
      input: { input: 0 },
    })
    expect((await planIn(folder.path, three('merge_method: linear'))).notes).toEqual([
      `${pooler}: b, c lacks it, so made without, as the recipe says 'missing: others'`,
    ])
  })
})

describe('files without a config.json', () => {
  const recipe = (missing: string) =>
    `merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a/model.safetensors}, {model: b/model.safetensors}]\nmissing: ${missing}`
  const namesIn = async (missing: string) =>
    (await planIn(folder.path, recipe(missing))).tensors.map(({ name }) => name).toSorted()
  const embedding = 'model.embed_tokens.weight'

  test.each([
    [1, 2],
    [2, 1],
  ])('of %i and %i layers: skip keeps what both have, others what any has', async (...layerCounts) => {
    const [a, b] = layerCounts
    await writeLlamas(folder.path, { a: { layers: a!, without: [embedding] }, b: { layers: b! } })
    const [common, all] = [await namesIn('skip'), await namesIn('others')]
    expect(common.filter((name) => name.includes('layers.1') || name === embedding)).toEqual([])
    expect(all.filter((name) => name.includes('layers.1'))).toHaveLength(3)
    expect(all.filter((name) => !name.includes('layers.1'))).toEqual([...common, embedding].toSorted())
  })
})
