import { describe, expect, it } from 'vitest'
import { matchNames } from './match-names.ts'

const layers = (prefix: string, suffixes = ['self_attn.q_proj.weight', 'norm.weight'], count = 3) =>
  Array.from({ length: count }, (_, layer) => suffixes.map((suffix) => `${prefix}layers.${layer}.${suffix}`)).flat()
const text = [...layers('model.'), 'model.embed_tokens.weight', 'lm_head.weight']
const match = (part: readonly string[], whole: readonly string[], prefix?: string) =>
  Object.fromEntries(matchNames(part, new Set(whole), prefix))

describe('matchNames', () => {
  it.each<[string, string, string]>([
    ['model.', 'model.language_model.', ''],
    ['model.', 'language_model.model.', 'language_model.'],
    ['model.', 'model.thinker.text.', 'model.thinker.'],
    ['model.', 'model.', ''],
    ['', 'language_model.', 'language_model.'],
  ])('finds %s as %s, with the head beside the layers', (from, to, head) => {
    const part = [...layers(from), `${from}embed_tokens.weight`, 'lm_head.weight']
    const whole = [
      ...layers('vision.', undefined, 9),
      ...layers(to),
      `${to}embed_tokens.weight`,
      `${head}lm_head.weight`,
    ]
    const found = match(part, whole)
    expect(Object.keys(found)).toHaveLength(part.length)
    expect(found[`${from}layers.2.norm.weight`]).toBe(`${to}layers.2.norm.weight`)
    expect(found['lm_head.weight']).toBe(`${head}lm_head.weight`)
  })

  it('gives nothing a place in another part of the whole', () => {
    const whole = [
      ...layers('model.language_model.'),
      ...layers('model.vision.', ['self_attn.q_proj.bias', 'norm.weight']),
    ]
    const found = match([...text, 'model.layers.0.self_attn.q_proj.bias'], whole)
    expect(found).not.toHaveProperty('model.layers.0.self_attn.q_proj.bias')
    expect(Object.values(found).filter((place) => place.includes('vision'))).toEqual([])
  })

  it('gives no two tensors one place', () => {
    const found = match(['a.layers.0.w', 'b.layers.0.w', 'a.layers.1.w'], ['x.layers.0.w', 'x.layers.1.w'])
    expect(found).toEqual({ 'a.layers.0.w': 'x.layers.0.w', 'a.layers.1.w': 'x.layers.1.w' })
  })

  it('goes by the prefix that it is given', () => {
    const whole = [...layers('model.a.'), ...layers('model.b.')]
    for (const prefix of ['model.b', 'model.b.'])
      expect(match(text, whole, prefix)['model.layers.1.norm.weight']).toBe('model.b.layers.1.norm.weight')
    expect(match(text, whole, 'model.c')).toEqual({})
  })

  it('finds nothing where only the last word is the same', () => {
    expect(match(['a.b.weight'], ['c.d.weight'])).toEqual({})
  })
})
