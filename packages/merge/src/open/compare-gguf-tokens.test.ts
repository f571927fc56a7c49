import type { Checkpoint } from '@mk/checkpoint'
import { expect, test } from 'vitest'
import { compareGgufTokens } from './compare-gguf-tokens.ts'
import type { MergeInputs } from './merge-inputs.ts'

const withTokens = (...values: readonly string[]): Checkpoint =>
  ({
    gguf: { metadata: new Map([['tokenizer.ggml.tokens', { type: 'array', elementType: 'string', values }]]) },
  }) as unknown as Checkpoint
const compare = (...checkpoints: readonly Checkpoint[]) =>
  compareGgufTokens({
    checkpoints,
    labels: checkpoints.map((_, index) => `m${index}`),
    donor: 0,
  } as unknown as MergeInputs)

test.each([
  [['x', 'b'], 'token 0 is "x" in m1 and "a" in m0'],
  [['a', 'x', 'c'], 'token 1 is "x" in m1 and "b" in m0'],
])('names the first token that is another: %j', (tokens, warning) => {
  expect(compare(withTokens('a', 'b'), withTokens(...tokens))).toEqual([
    `${warning}: their embeddings are merged row by row all the same`,
  ])
})

test('is silent about tokens that go on, and about models without', () => {
  expect(compare(withTokens('a'), withTokens('a', 'b'), {} as Checkpoint)).toEqual([])
  expect(compare({} as Checkpoint, withTokens('a', 'b'))).toEqual([])
})
