import { describe, expect, test } from 'vitest'
import { mergeIn, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { unchangedVocabulary } from '../open/output-vocabulary.ts'
import { readJson, useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'
const embedding = 'model.embed_tokens.weight'
const head = 'lm_head.weight'
const ones = { shape: [6, 4], value: () => 1 }
const twos = { shape: [6, 4], value: () => 2 }

describe('a tied output', () => {
  test('has no head, also where inputs carry one that is their embedding', async () => {
    await writeLlamas(folder.path, { a: { tied: true }, b: { tied: true, extra: { [embedding]: ones, [head]: ones } } })
    const { tensors, plan, out } = await mergeIn(folder.path, linear)
    expect(tensors[head]).toBeUndefined()
    expect(plan.notes).toEqual([
      `b: ${head} is the same as its embedding, to which the output's head is tied; not written`,
    ])
    expect(await readJson(`${out}/config.json`)).toMatchObject({ tie_word_embeddings: true })
  })

  test.each([true, false])(
    'is untied where an input carries another head (which says it is tied: %s)',
    async (tied) => {
      const extra = { [embedding]: ones, [head]: twos }
      await writeLlamas(folder.path, { a: { tied: true, extra: { [embedding]: ones } }, b: { tied, extra } })
      const { tensors, plan, out } = await mergeIn(folder.path, linear)
      expect(tensors[head]!.values).toEqual(Array(24).fill(1.5))
      expect(plan.notes).toEqual([
        'a ties its head to its embedding, but the head of b is another matrix; the output is not tied',
      ])
      expect(await readJson(`${out}/config.json`)).toMatchObject({ tie_word_embeddings: false })
    },
  )

  test('stays tied where only a model that is not merged has another head', async () => {
    await writeLlamas(folder.path, {
      a: { tied: true },
      b: { tied: true },
      base: { tied: true, extra: { [embedding]: ones, [head]: twos } },
    })
    const models = 'models: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: 1}}]'
    expect(
      (await mergeIn(folder.path, `merge_method: linear\nbase_model: base\n${models}`)).tensors[head],
    ).toBeUndefined()
  })

  test('keeps a head that is stored in place of the embedding', async () => {
    await writeLlamas(folder.path, { a: { tied: true, without: [embedding], extra: { [head]: ones } } })
    expect(
      (await mergeIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')).tensors[head]!.values,
    ).toEqual(Array(24).fill(1))
  })
})

test('the embedding stands for the head of a tied model where the output is not tied', async () => {
  await writeLlamas(folder.path, { a: { extra: { [head]: twos } }, b: { tied: true, extra: { [embedding]: ones } } })
  expect((await mergeIn(folder.path, linear)).tensors[head]!.values).toEqual(Array(24).fill(1.5))
})

test('whether a head differs is asked again when its weights are there', async () => {
  await writeLlamas(folder.path, { a: { tied: true, extra: { [embedding]: ones, [head]: twos } } })
  const prepared = await prepareIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]')
  const { planMerge } = await import('./plan-merge.ts')
  const { compareStoredHeads } = await import('../open/compare-stored-heads.ts')
  const [checkpoint] = prepared.inputs.checkpoints
  const awaited = { ...prepared.inputs, checkpoints: [{ ...checkpoint!, downloadBytes: 1 }] }
  const heads = compareStoredHeads(awaited)
  expect(heads).toEqual({ different: new Set(), unknown: new Set([0]) })
  const plan = planMerge(prepared.config, awaited, {
    text: '',
    methods: prepared.methods,
    seed: 0,
    shardBytes: 1e9,
    copyTokenizer: true,
    writeModelCard: false,
    name: undefined,
    program: { version: '0' },
    allowMixedArchitectures: false,
    lenient: false,
    vocabulary: unchangedVocabulary,
    heads,
  })
  expect(plan.notes[0]).toBe(
    'a ties its head to its embedding; whether the head that a carries is the same is known when it is downloaded, until then it is taken to be',
  )
  expect(plan.tensors.some(({ name }) => name === head)).toBe(false)
})

describe('without a tokenizer setting', () => {
  test('embeddings and heads are cut to what all have, with a note and a vocab_size that tell', async () => {
    await writeLlamas(folder.path, { a: { rows: 8 }, b: { rows: 5 } })
    const { tensors, plan, out } = await mergeIn(folder.path, linear)
    expect([tensors[embedding]!.shape, tensors[head]!.shape]).toEqual([
      [5, 4],
      [5, 4],
    ])
    expect(await readJson(`${out}/config.json`)).toMatchObject({ vocab_size: 5 })
    expect(plan.notes).toEqual([
      `${embedding} of a is cut from [8, 4] to [5, 4], which all models have`,
      `${head} of a is cut from [8, 4] to [5, 4], which all models have`,
    ])
  })

  test('cut rows are those with the lowest ids', async () => {
    const byRow = (rows: number) => ({ shape: [rows, 4], value: (index: number) => Math.floor(index / 4) })
    await writeLlamas(folder.path, {
      a: { rows: 3, extra: { [embedding]: byRow(3) } },
      b: { rows: 2, extra: { [embedding]: byRow(2) } },
    })
    expect((await mergeIn(folder.path, linear)).tensors[embedding]!.values).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })

  test('an embedding and a head from models of different vocabularies are cut to each other', async () => {
    await writeLlamas(folder.path, { a: { rows: 8 }, b: { rows: 5 } })
    const slices =
      'slices: [{sources: [{model: a, layer_range: [0, 1]}]}, {sources: [{model: b, layer_range: [1, 2]}]}]'
    const { tensors, plan, out } = await mergeIn(folder.path, `merge_method: passthrough\n${slices}`)
    expect([tensors[embedding]!.shape, tensors[head]!.shape]).toEqual([
      [5, 4],
      [5, 4],
    ])
    expect(await readJson(`${out}/config.json`)).toMatchObject({ vocab_size: 5 })
    expect(plan.notes).toContain(
      `${embedding} and ${head} come from models of different vocabularies; both are cut to 5 rows`,
    )
  })

  test('other sizes that differ are an error that does not hide behind the embedding', async () => {
    await writeLlamas(folder.path, { a: { hidden: 4 }, b: { hidden: 6 } })
    await expect(planIn(folder.path, linear)).rejects.toMatchObject({
      code: 'shape-mismatch',
      message:
        'shapes differ: model.layers.0.input_layernorm.weight of a is [4], model.layers.0.input_layernorm.weight of b is [6]',
    })
  })
})
