import { expect, it, vi } from 'vitest'
import { largeTokenizer } from '../../bench/large-tokenizer.ts'
import { union } from '../__fixtures__/inputs.ts'
import { parseTokenizer, planVocabulary } from '../index.ts'

it('looks each token up a few times, however many there are', () => {
  const [small, large] = [3_000, 12_000].map(lookUps) as [number, number]
  expect(large / 12_000).toBeLessThan(20)
  expect(large / small).toBeLessThan(4.1)
})

/** Counts the look-ups in maps, sets and lists while three vocabularies with four fifths in common are read and united. */
function lookUps(tokenCount: number): number {
  const texts = ['A', 'B', 'C'].map((own) => largeTokenizer(own, tokenCount, tokenCount * 0.8))
  const spies = [
    vi.spyOn(Map.prototype, 'get'),
    vi.spyOn(Map.prototype, 'has'),
    vi.spyOn(Map.prototype, 'set'),
    vi.spyOn(Set.prototype, 'has'),
    vi.spyOn(Array.prototype, 'indexOf'),
    vi.spyOn(Array.prototype, 'includes'),
  ]
  try {
    const models = texts.map((text, index) => ({
      label: `model ${index}`,
      tokenizer: parseTokenizer(new Map([['tokenizer.json', text]])),
      embeddingRows: tokenCount + 2,
    }))
    const { rowCount } = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(rowCount).toBeGreaterThan(tokenCount * 1.3)
    return spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}
