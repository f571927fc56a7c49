import { beforeEach, describe, expect, test } from 'vitest'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()

/** A tokenizer of six words, and added tokens after them. */
const tokenizer = (...added: string[]) =>
  JSON.stringify({
    model: { type: 'WordLevel', vocab: { u: 0, a: 1, b: 2, c: 3, d: 4, e: 5 }, unk_token: 'u' },
    added_tokens: added.map((content, index) => ({ content, id: 6 + index, special: true })),
  })
/** Each row of the embedding is a number of its own: that of the row, from `first` on. */
const model = (first: number, ...added: string[]): LlamaOptions => ({
  rows: 6 + added.length,
  tied: true,
  files: { 'tokenizer.json': tokenizer(...added) },
  extra: {
    'model.embed_tokens.weight': { shape: [6 + added.length, 4], value: (index) => first + Math.floor(index / 4) },
  },
})
beforeEach(() =>
  writeLlamas(folder.path, {
    plain: model(200),
    chat: model(100, '<s>', '</s>'),
    other: model(500, '</s>'),
  }),
)

const linear = 'merge_method: linear\nparameters: {weight: 0.5}\nmodels: [{model: plain}, {model: chat}]\n'
const rowsOf = async (recipe: string, prepare = {}) => {
  const { tensors, plan } = await mergeIn(folder.path, recipe, { prepare, overwrite: true })
  const { values, shape } = tensors['model.embed_tokens.weight']!
  expect(values.length).toBe(shape[0]! * 4)
  const config = JSON.parse(plan.documents.find(({ name }) => name === 'config.json')!.text) as object
  expect(config).toMatchObject({ vocab_size: shape[0]! })
  return Array.from({ length: shape[0]! }, (_, row) => values[4 * row])
}
/** Of the words, which both models have. */
const words = [150, 151, 152, 153, 154, 155]

describe('the rows of a union', () => {
  test('of tokens that one model has are that one’s', async () => {
    expect(await rowsOf(`${linear}tokenizer: {source: union}\n`)).toEqual([...words, 106, 107])
    expect(await rowsOf(`${linear}tokenizer_source: union\n`)).toEqual([...words, 106, 107])
  })

  test('are those of the base where that is asked for, and of a named model where that is', async () => {
    const based = linear.replace('merge_method: linear', 'merge_method: linear\nbase_model: plain')
    expect(await rowsOf(`${based}tokenizer: {source: base}\n`)).toEqual(words)
    expect(await rowsOf(`${based}tokenizer: {source: chat}\n`)).toEqual([...words, 106, 107])
  })

  const withToken = (source: string, more = '') =>
    `${linear}tokenizer: {source: union, tokens: {<s>: {source: ${source}${more}}}}\n`

  test('of a token with a source of its own are that where a model lacks it', async () => {
    const ofWord = '{kind: model_token, model: plain, token: b}'
    expect(await rowsOf(withToken(ofWord))).toEqual([...words, (106 + 202) / 2, 107])
    expect(await rowsOf(withToken(ofWord, ', force: true'))).toEqual([...words, 202, 107])
    expect(await rowsOf(withToken('{kind: zero}'))).toEqual([...words, 53, 107])
  })

  test('may come from a model that is not merged, which is opened for them', async () => {
    const { tensors, plan } = await mergeIn(
      folder.path,
      withToken('{kind: model_token, model: other, token: </s>}', ', force: true'),
    )
    expect(plan.inputs.map(({ label }) => label)).toEqual(['plain', 'chat', 'other'])
    expect(tensors['model.embed_tokens.weight']!.values[24]).toBe(506)
  })

  test('of a model that is not there are an error with the line that names it', async () => {
    await expect(planIn(folder.path, withToken('{kind: model_token, model: ./none, token: a}'))).rejects.toThrow(
      /recipe\.yml:4:\d+: .*none/,
    )
  })

  test('change without the tokenizer’s files, where these are not wanted', async () => {
    const names = async (copyTokenizer: boolean) => {
      const { documents, copies } = await planIn(folder.path, `${linear}tokenizer: {source: union}\n`, {
        copyTokenizer,
      })
      return [...documents, ...copies].map(({ name }) => name).filter((name) => name.startsWith('tokenizer'))
    }
    expect(await names(true)).toContain('tokenizer.json')
    expect(await names(false)).toEqual([])
    expect(await rowsOf(`${linear}tokenizer: {source: union}\n`, { copyTokenizer: false })).toEqual([
      ...words,
      106,
      107,
    ])
  })
})
