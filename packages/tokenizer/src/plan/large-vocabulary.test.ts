import { expect, it } from 'vitest'
import { largeTokenizer } from '../../bench/large-tokenizer.ts'
import { parseTokenizer, planVocabulary } from '../index.ts'

it('reads and unites three vocabularies of 150,000 tokens in a few times what JSON.parse takes', () => {
  const texts = ['A', 'B', 'C'].map((own) => largeTokenizer(own, 150_000, 120_000))
  const run = (): number => {
    const models = texts.map((text, index) => ({
      label: `model ${index}`,
      tokenizer: parseTokenizer(new Map([['tokenizer.json', text]])),
      embeddingRows: 150_002,
    }))
    return planVocabulary({
      models,
      baseIndex: 0,
      setting: { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] },
    }).rowCount
  }
  const ratios = [1, 2, 3].map(() => {
    const parse = seconds(() => texts.map((text) => JSON.parse(text) as unknown))
    return seconds(() => expect(run()).toBeGreaterThan(209_000)) / parse
  })
  expect(Math.min(...ratios)).toBeLessThan(8)
}, 60_000)

function seconds(run: () => unknown): number {
  const start = performance.now()
  run()
  return (performance.now() - start) / 1000
}
