import { describe, expect, it } from 'vitest'
import { bakllamaRecipe } from './bakllama-recipe.ts'

const slices = [
  { model: 'a', start: 0, end: 2 },
  { model: 'b', start: 1, end: 4, scale: 0.5 },
]
const sources = [
  { sources: [{ model: 'a', layer_range: [0, 2] }] },
  { sources: [{ model: 'b', layer_range: [1, 4], parameters: { scale: [{ filter: 'down_proj', value: 0.5 }] } }] },
]

describe('bakllamaRecipe', () => {
  it('stacks the slices, scaling down_proj only', () => {
    expect(bakllamaRecipe({ slices })).toEqual({ merge_method: 'passthrough', slices: sources })
  })

  it('writes float16 if asked to', () => {
    expect(bakllamaRecipe({ slices }, { fp16: true })).toMatchObject({ dtype: 'float16' })
  })

  it('lets slices of no layers donate embedding and head', () => {
    expect(bakllamaRecipe({ slices, embeddingSource: 'c', headSource: 'd' }).slices).toEqual([
      { sources: [{ model: 'c', layer_range: [0, 0] }] },
      ...sources,
      { sources: [{ model: 'd', layer_range: [0, 0] }] },
    ])
  })

  it('needs no such slices where the first and the last one donate them anyhow', () => {
    expect(bakllamaRecipe({ slices, embeddingSource: './a', headSource: 'b/' }).slices).toEqual(sources)
  })
})
