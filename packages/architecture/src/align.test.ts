import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import { alignTensors, describeCheckpoint } from './index.ts'

const layoutOf = (family: string) => {
  const { tensors, config } = familyFixtures.find((candidate) => candidate.family === family)!
  return describeCheckpoint(tensors, config)
}

describe('alignTensors', () => {
  it.each([
    ['llama', 'llava', 'language_model.model.layers.1.mlp.up_proj.weight', 'language_model.lm_head.weight'],
    ['llama', 'llava-new-names', 'model.language_model.layers.1.mlp.up_proj.weight', 'lm_head.weight'],
  ])('matches a text model (%s) with the language part of a vision model (%s)', (text, vision, layer, head) => {
    const { pairs, onlyInA, conflicts, onlyInB } = alignTensors(layoutOf(text), layoutOf(vision))
    expect(pairs.get('model.layers.1.mlp.up_proj.weight')).toBe(layer)
    expect(pairs.get('lm_head.weight')).toBe(head)
    expect([onlyInA, conflicts]).toEqual([[], []])
    expect(onlyInB.every((name) => /vision|projector/.test(name))).toBe(true)
  })

  it('works the other way round, and between two vision models', () => {
    expect(alignTensors(layoutOf('llava'), layoutOf('llama')).pairs.get('language_model.model.norm.weight')).toBe(
      'model.norm.weight',
    )
    const { pairs, onlyInA, onlyInB } = alignTensors(layoutOf('llava'), layoutOf('llava-new-names'))
    expect(pairs.get('vision_tower.vision_model.encoder.layers.2.mlp.fc1.bias')).toBe(
      'model.vision_tower.vision_model.encoder.layers.2.mlp.fc1.bias',
    )
    expect(pairs.get('multi_modal_projector.linear_1.weight')).toBe('model.multi_modal_projector.linear_1.weight')
    expect([onlyInA, onlyInB]).toEqual([
      ['vision_tower.vision_model.pre_layrnorm.weight', 'vision_tower.vision_model.pre_layrnorm.bias'],
      [],
    ])
  })

  it('matches a model saved with and without its outer prefix', () => {
    const { pairs, onlyInA } = alignTensors(layoutOf('gpt2'), layoutOf('gpt2-bare'))
    expect(pairs.get('transformer.wte.weight')).toBe('wte.weight')
    expect(onlyInA).toEqual([])
    expect(
      alignTensors(layoutOf('bert'), layoutOf('bert-classifier')).pairs.get('encoder.layer.0.output.dense.bias'),
    ).toBe('bert.encoder.layer.0.output.dense.bias')
  })

  it('matches gamma and beta with weight and bias', () => {
    expect(
      alignTensors(layoutOf('bert-gamma'), layoutOf('bert-masked-lm')).pairs.get('bert.embeddings.LayerNorm.gamma'),
    ).toBe('bert.embeddings.LayerNorm.weight')
  })

  it('names what fits several, and matches none of them', () => {
    const layers = (path: string) =>
      [0, 1].flatMap((layer) => ['q', 'k', 'v'].map((part) => `${path}.layers.${layer}.${part}.weight`))
    const describeNames = (names: readonly string[]) =>
      describeCheckpoint(
        names.map((name) => ({ name, shape: [1] })),
        undefined,
      )
    const { conflicts, onlyInA, pairs } = alignTensors(
      describeNames(['a.norm.weight', ...layers('a')]),
      describeNames(['b.norm.weight', 'norm.weight', ...layers('b')]),
    )
    expect(conflicts).toEqual([{ name: 'a.norm.weight', candidates: ['b.norm.weight', 'norm.weight'] }])
    expect(onlyInA).toEqual(['a.norm.weight'])
    expect(pairs.size).toBe(6)
  })

  it.each(familyFixtures)('matches $family with itself, name by name', ({ family, tensors }) => {
    const { pairs, onlyInA, onlyInB, conflicts } = alignTensors(layoutOf(family), layoutOf(family))
    expect([...pairs].every(([a, b]) => a === b)).toBe(true)
    expect([pairs.size, onlyInA, onlyInB, conflicts]).toEqual([tensors.length, [], [], []])
  })
})
