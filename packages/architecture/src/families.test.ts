import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import {
  describeCheckpoint,
  embeddingNames,
  headNames,
  isTied,
  nameInLayer,
  nameOutsideLayers,
  reviseConfig,
} from './index.ts'

describe.each(familyFixtures)('a checkpoint of $family', ({ config, tensors, expected }) => {
  const layout = describeCheckpoint(tensors, config)
  const described = layout.modules.flatMap((module) => module.tensors)

  it('has every tensor in exactly one module', () => {
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length)
    expect(described.map(({ name }) => name).sort()).toEqual(tensors.map(({ name }) => name).sort())
  })

  it('has the modules, layers and roles of its family', () => {
    expect(layout.modules.map(({ names, layerCount }) => ({ name: names[0], layerCount }))).toEqual(expected.modules)
    expect(embeddingNames(layout)[0]).toBe(expected.embedding)
    expect(headNames(layout)[0]).toBe(expected.head)
    expect(isTied(config, layout)).toBe(expected.tied)
  })

  it('says where its layer counts are written, or that nothing is', () => {
    expect(layout.notes).toEqual([])
    const isSilent = ['phi3_v', 'gemma3n', 'swin'].includes(String(config['model_type']))
    const places = layout.modules
      .filter(({ layerCount }) => layerCount > 0)
      .map(({ layerCountKeys }) => layerCountKeys.length > 0)
    expect(places.includes(false)).toBe(isSilent)
  })

  it('gives back its names from templates, and numbers its layers without a gap', () => {
    for (const { layerCount, tensors } of layout.modules) {
      for (const { name, layer, position, template } of tensors) {
        expect(layer === undefined ? nameOutsideLayers(template, layerCount) : nameInLayer(template, layer)).toBe(name)
        expect(position === 'layer').toBe(layer !== undefined)
      }
      const numbers = new Set(tensors.flatMap(({ layer }) => (layer === undefined ? [] : [layer])))
      expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: layerCount }, (_, index) => index))
    }
  })

  it('is understood again when its layers were stacked twice', () => {
    const twice = (count: number) => [...Array(count).keys(), ...Array(count).keys()]
    const stacked = layout.modules.filter(
      ({ layerCount, layerCountKeys }) => layerCount > 0 && layerCountKeys.length > 0,
    )
    const counts = new Map(
      layout.modules.map((module) => [module, stacked.includes(module) ? module.layerCount * 2 : module.layerCount]),
    )
    const output = layout.modules.flatMap((module) =>
      module.tensors.flatMap(({ template, layer, shape }) => {
        if (layer === undefined) return [{ name: nameOutsideLayers(template, counts.get(module)!), shape }]
        const again = stacked.includes(module) ? [layer, layer + module.layerCount] : [layer]
        return again.map((number) => ({ name: nameInLayer(template, number), shape }))
      }),
    )
    const revised = reviseConfig(config, {
      layers: stacked.map((module) => ({ module, sourceLayers: twice(module.layerCount) })),
    })
    const result = describeCheckpoint(output, revised)
    expect(result.notes).toEqual([])
    expect(result.modules.map(({ names, layerCount }) => [names[0], layerCount])).toEqual(
      layout.modules.map((module) => [module.names[0], counts.get(module)]),
    )
    expect(result.modules.flatMap(({ tensors }) => tensors)).toHaveLength(new Set(output.map(({ name }) => name)).size)
    expect(embeddingNames(result)).toHaveLength(embeddingNames(layout).length)
  })
})
