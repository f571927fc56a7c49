import { bench, describe } from 'vitest'
import { parseTokenizer, planVocabulary } from '../src/index.ts'
import { largeTokenizer } from './large-tokenizer.ts'

describe('three vocabularies of 150,000 tokens, the last 30,000 their own', () => {
  const texts = ['A', 'B', 'C'].map((own) => largeTokenizer(own, 150_000, 120_000))
  bench(
    'JSON.parse',
    () => {
      for (const text of texts) JSON.parse(text)
    },
    { iterations: 5 },
  )
  bench(
    'read and unite',
    () => {
      const models = texts.map((text, index) => ({
        label: `model ${index}`,
        tokenizer: parseTokenizer(new Map([['tokenizer.json', text]])),
        embeddingRows: 150_002,
      }))
      planVocabulary({
        models,
        baseIndex: 0,
        setting: { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] },
      })
    },
    { iterations: 5 },
  )
})
