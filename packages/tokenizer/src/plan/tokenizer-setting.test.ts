import { parseConfig } from '@mk/config'
import { expect, it } from 'vitest'
import { resolveTokenizerSetting, TokenizerError } from '../index.ts'

const resolve = (tokenizer: string) => {
  const { config } = parseConfig(`merge_method: linear\nmodels: [{model: a}, {model: b}]\n${tokenizer}`)
  return resolveTokenizerSetting(config.tokenizer!, ({ path }) => ({ a: 0, b: 1 })[path], ['a', 'b'])
}

it('gives models by their position', () => {
  expect(resolve('tokenizer_source: model:b')).toEqual({ kind: 'average-rows', source: { kind: 'model', model: 1 } })
  expect(
    resolve(
      'tokenizer: {source: union, pad_to_multiple_of: 8, tokens: {x: {source: b, force: true}, y: {source: {kind: model_token, model: a, token_id: 3}}, z: {source: {kind: zero}}}}',
    ),
  ).toMatchObject({
    kind: 'complete-rows',
    source: { kind: 'union' },
    padToMultipleOf: 8,
    tokens: [
      { token: 'x', source: { kind: 'model', model: 1 }, force: true },
      { token: 'y', source: { kind: 'model_token', model: 0, tokenId: 3 }, force: false },
      { token: 'z', source: { kind: 'zero' }, force: false },
    ],
  })
})

it('refuses models that are not part of the merge', () => {
  const run = (): unknown => resolve('tokenizer_source: model:elsewhere')
  expect(run).toThrow(TokenizerError)
  expect(run).toThrow('the tokenizer setting names elsewhere, which is not part of the merge; its models are a, b')
})
