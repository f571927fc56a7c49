import { expect, it } from 'vitest'
import { largeTokenizer } from '../../bench/large-tokenizer.ts'
import { union } from '../__fixtures__/inputs.ts'
import { parseTokenizer, planVocabulary } from '../index.ts'
import { SpelledIds } from '../parse/spelled-ids.ts'

it('looks each token up a few times, however many there are', () => {
  const [small, large] = [3_000, 12_000].map(lookUps) as [number, number]
  expect(large / 12_000).toBeLessThan(20)
  expect(large / small).toBeLessThan(4.1)
})

/** Counts the look-ups in maps, sets and lists while three vocabularies with four fifths in common are read and united. */
function lookUps(tokenCount: number): number {
  const texts = ['A', 'B', 'C'].map((own) => largeTokenizer(own, tokenCount, tokenCount * 0.8))
  const counted = [
    countCalls(Map.prototype, 'get'),
    countCalls(Map.prototype, 'has'),
    countCalls(Map.prototype, 'set'),
    countCalls(SpelledIds.prototype, 'get'),
    countCalls(SpelledIds.prototype, 'has'),
    countCalls(Set.prototype, 'has'),
    countCalls(Array.prototype, 'indexOf'),
    countCalls(Array.prototype, 'includes'),
  ]
  try {
    const models = texts.map((text, index) => ({
      label: `model ${index}`,
      tokenizer: parseTokenizer(new Map([['tokenizer.json', text]])),
      embeddingRows: tokenCount + 2,
    }))
    const { rowCount } = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(rowCount).toBeGreaterThan(tokenCount * 1.3)
  } finally {
    for (const { restore } of counted) restore()
  }
  return counted.reduce((sum, { calls }) => sum + calls(), 0)
}

/** Counts the calls of a method and nothing else: a spy keeps what each is called with, which takes most of the time. */
function countCalls<T, K extends keyof T>(prototype: T, name: K) {
  const own = prototype[name] as (...args: unknown[]) => unknown
  let count = 0
  prototype[name] = function (this: unknown, ...args: unknown[]) {
    count++
    return own.apply(this, args)
  } as T[K]
  return { calls: () => count, restore: () => void (prototype[name] = own as T[K]) }
}
