import { describe, expect, test } from 'vitest'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { readJson, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const embedding = 'model.embed_tokens.weight'
const head = 'lm_head.weight'
const filled = (value: number, rows = 6) => ({ shape: [rows, 4], value: () => value })
const all = (value: number, rows = 6) => Array(rows * 4).fill(value)
/** Embedding 1 and head 2 of `own`; the embedding of `tied` is 3, of `other` 4. */
const models = {
  own: { extra: { [embedding]: filled(1), [head]: filled(2) } },
  tied: { tied: true, extra: { [embedding]: filled(3) } },
  other: { tied: true, extra: { [embedding]: filled(4) } },
}
const stack = (first: string, last: string, method = 'passthrough') =>
  `merge_method: ${method}\nparameters: {weight: 1}\nslices:\n- sources: [{model: ${first}, layer_range: [0, 1]}]\n- sources: [{model: ${last}, layer_range: [1, 2]}]\n`

async function headOf(recipe: string) {
  const { tensors, out, plan } = await mergeIn(folder.path, recipe, { overwrite: true })
  const { tie_word_embeddings: tied } = await readJson(`${out}/config.json`)
  return { embedding: tensors[embedding]!.values, head: tensors[head]?.values, tied, notes: plan.notes }
}

describe('the head of the output is that of the models of the last layers', () => {
  test.each([
    ['own', 'tied', 1, 3],
    ['tied', 'own', 3, 2],
    ['tied', 'other', 3, 4],
  ])('%s below %s', async (first, last, below, above) => {
    await writeLlamas(folder.path, models)
    for (const method of ['passthrough', 'linear'])
      expect(await headOf(stack(first, last, method))).toMatchObject({
        embedding: all(below),
        head: all(above),
        tied: false,
      })
  })

  test('a note says where it comes from', async () => {
    await writeLlamas(folder.path, models)
    expect((await planIn(folder.path, stack('own', 'tied'))).notes).toContain(
      'tied ties its head to its embedding; what follows the last layers comes from it, so its embedding is written as the head',
    )
    expect((await planIn(folder.path, stack('tied', 'other'))).notes).toContain(
      'tied ties its head to its embedding, but the head is to come from other; the output is not tied',
    )
  })

  test('a note names those alone that the embedding does not come from', async () => {
    await writeLlamas(folder.path, models)
    const source = (model: string, range: string) => `{model: ${model}, layer_range: [${range}]}`
    const slices = `- sources: [${source('tied', '0, 1')}]\n- sources: [${source('tied', '1, 2')}, ${source('other', '1, 2')}]\n`
    const { notes } = await planIn(folder.path, `merge_method: linear\nparameters: {weight: 1}\nslices:\n${slices}`)
    expect(notes.filter((note) => note.includes('the head is to come from'))).toEqual([
      'tied ties its head to its embedding, but the head is to come from other; the output is not tied',
    ])
  })

  test('models with equal embeddings stay tied', async () => {
    await writeLlamas(folder.path, { ...models, other: models.tied })
    expect(await headOf(stack('tied', 'other'))).toMatchObject({ head: undefined, tied: true })
  })

  test('a model between the first and the last layers has no part in it', async () => {
    await writeLlamas(folder.path, models)
    const recipe = `${stack('tied', 'own')}- sources: [{model: tied, layer_range: [1, 2]}]\n`
    expect(await headOf(recipe)).toMatchObject({ embedding: all(3), head: undefined, tied: true })
  })

  test('other vocabularies are cut to each other', async () => {
    await writeLlamas(folder.path, {
      ...models,
      other: { tied: true, rows: 5, extra: { [embedding]: filled(4, 5) } },
    })
    expect(await headOf(stack('tied', 'other'))).toMatchObject({ embedding: all(3, 5), head: all(4, 5) })
  })
})

test('a model that neither stores a head nor ties one leaves the output as the first is', async () => {
  const config = { tie_word_embeddings: false }
  await writeLlamas(folder.path, { ...models, headless: { tied: true, config, extra: { [embedding]: filled(5) } } })
  const source = (model: string, range: string) => `{model: ${model}, layer_range: [${range}]}`
  const slices = `- sources: [${source('tied', '0, 1')}]\n- sources: [${source('tied', '1, 2')}, ${source('headless', '1, 2')}]\n`
  const recipe = `merge_method: linear\nparameters: {weight: 1}\nslices:\n${slices}`
  expect(await headOf(recipe)).toMatchObject({ embedding: all(3), head: undefined, tied: true })
})

describe('a base that only donates', () => {
  const alone = (base: string, model: string) =>
    `merge_method: passthrough\nbase_model: ${base}\nmodels: [{model: ${model}}]`

  test('config.json says tied where what is merged is', async () => {
    await writeLlamas(folder.path, models)
    const { notes, ...found } = await headOf(alone('own', 'tied'))
    expect(found).toEqual({ embedding: all(3), head: undefined, tied: true })
    expect(notes).toContain(
      'tied ties its head to its embedding, which own does not; the output is tied as what is merged is',
    )
  })

  test('config.json says untied where what is merged is not', async () => {
    await writeLlamas(folder.path, models)
    expect(await headOf(alone('tied', 'own'))).toMatchObject({ embedding: all(1), head: all(2), tied: false })
  })
})

test('two places of config.json that contradict each other give way to the tensors', async () => {
  const config = { tie_word_embeddings: false, text_config: { tie_word_embeddings: true, num_hidden_layers: 2 } }
  await writeLlamas(folder.path, { a: { ...models.tied, config }, b: models.own })
  expect(await headOf(stack('a', 'b'))).toMatchObject({ head: all(2), tied: false })
  expect(await readJson(`${folder.path}/out/config.json`)).toMatchObject({
    text_config: { tie_word_embeddings: false },
  })
})

test('no head comes to models that have none', async () => {
  const config = { architectures: ['BertModel'], model_type: 'bert', num_hidden_layers: 2 }
  const names = [0, 1].flatMap((n) =>
    ['query', 'key', 'value'].map((part) => `encoder.layer.${n}.attention.self.${part}.weight`),
  )
  const tensors = Object.fromEntries(
    ['embeddings.word_embeddings.weight', ...names].map((name) => [name, { shape: [4, 4] }]),
  )
  for (const [seed, name] of ['a', 'b'].entries()) await writeModel(`${folder.path}/${name}`, { config, tensors, seed })
  const plan = await planIn(folder.path, stack('a', 'b'))
  expect(plan.tensors.map(({ name }) => name).toSorted()).toEqual(Object.keys(tensors).toSorted())
})
