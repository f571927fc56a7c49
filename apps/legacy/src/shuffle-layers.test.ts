import { parseConfig, stringifyYaml } from '@mk/config'
import { describe, expect, it } from 'vitest'
import { shuffleLayers } from './shuffle-layers.ts'

const models = ['a', 'b', 'c'].map((model) => ({ model, layerCount: 40 }))
type Slices = readonly { readonly sources: readonly [{ model: string; layer_range: readonly [number, number] }] }[]
const slicesOf = (recipe: Record<string, unknown>) =>
  (recipe['slices'] as Slices).map(({ sources: [source] }) => source)
const layersOf = (recipe: Record<string, unknown>) =>
  slicesOf(recipe).flatMap(({ model, layer_range: [start, end] }) =>
    Array.from({ length: end - start }, (_, layer) => ({ model, layer: start + layer })),
  )
const countOf = (recipe: Record<string, unknown>, model: string) =>
  layersOf(recipe).filter((layer) => layer.model === model).length

describe('shuffleLayers', () => {
  it('keeps the number of each layer, and joins runs of one model', () => {
    const recipe = shuffleLayers(models, { weights: [], seed: 1 })
    expect(layersOf(recipe).map(({ layer }) => layer)).toEqual(Array.from({ length: 40 }, (_, layer) => layer))
    slicesOf(recipe).forEach(({ model }, index, all) => expect(model).not.toBe(all[index + 1]?.model))
    expect(parseConfig(stringifyYaml(recipe)).config.mergeMethod).toMatchObject([{ method: 'passthrough' }])
  })

  it('draws the models in proportion to the weights', () => {
    const counts = models.map(() => 0)
    for (let seed = 0; seed < 100; seed++) {
      const recipe = shuffleLayers(models, { weights: [3, 1, 0], seed })
      models.forEach(({ model }, index) => (counts[index]! += countOf(recipe, model)))
    }
    expect(counts.reduce((a, b) => a + b)).toBe(4000)
    expect(Math.abs(counts[0]! - 3000)).toBeLessThan(100)
    expect(counts[2]).toBe(0)
  })

  it.each([false, true])('is the same for the same seed, another for another (full random: %s)', (fullRandom) => {
    const drawn = (seed: number) => shuffleLayers(models, { weights: [], seed, fullRandom })
    expect(drawn(5)).toEqual(drawn(5))
    expect(drawn(5)).not.toEqual(drawn(6))
  })

  it('takes any of all layers of a model with full random, as many as its weight says', () => {
    const ten = [
      { model: 'a', layerCount: 10 },
      { model: 'b', layerCount: 20 },
    ]
    const drawn = new Set<number>()
    for (let seed = 0; seed < 50; seed++) {
      const recipe = shuffleLayers(ten, { weights: [0.3, 0.25], seed, fullRandom: true })
      expect([countOf(recipe, 'a'), countOf(recipe, 'b')]).toEqual([3, 5])
      for (const { model, layer } of layersOf(recipe)) if (model === 'a') drawn.add(layer)
    }
    expect([...drawn].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('writes float16 if asked to', () => {
    expect(shuffleLayers(models, { weights: [], seed: 0, fp16: true })).toMatchObject({ dtype: 'float16' })
    expect(shuffleLayers(models, { weights: [], seed: 0 })).not.toHaveProperty('dtype')
  })

  it.each<[string, Parameters<typeof shuffleLayers>, string, string]>([
    ['no model', [[], { weights: [], seed: 0 }], 'shuffle-models', '--model MODEL'],
    [
      'two weights for three models',
      [models, { weights: [1, 2], seed: 0 }],
      'shuffle-weights',
      '2 times for 3 --model',
    ],
    ['a weight below 0', [models, { weights: [1, -1, 0], seed: 0 }], 'shuffle-weight', 'b has the weight -1'],
    ['weights of 0', [models, { weights: [0, 0, 0], seed: 0 }], 'shuffle-weight', 'a has the weight 0'],
    [
      'models of other depths',
      [[...models, { model: 'd', layerCount: 3 }], { weights: [], seed: 0 }],
      'shuffle-layers',
      'd has 3 layers, a 40',
    ],
    [
      'weights too small for a layer',
      [models, { weights: [0.01, 0.01, 0.02], seed: 0, fullRandom: true }],
      'shuffle-nothing',
      'give no layer',
    ],
    [
      'weights that give more layers than a model can have',
      [models, { weights: [1e9, 1, 1], seed: 0, fullRandom: true }],
      'shuffle-too-many',
      'expected at most 10000',
    ],
  ])('refuses %s', (_, given, code, message) => {
    expect(() => shuffleLayers(...given)).toThrow(expect.objectContaining({ code, fault: 'usage' }))
    expect(() => shuffleLayers(...given)).toThrow(message)
  })

  it('lets a model of another depth that is never drawn be', () => {
    const recipe = shuffleLayers([...models, { model: 'd', layerCount: 3 }], { weights: [1, 1, 1, 0], seed: 0 })
    expect(layersOf(recipe)).toHaveLength(40)
  })
})
