import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import { describeCheckpoint, embeddingNames, headNames, isTied, nameInLayer, nameOutsideLayers } from './index.ts'

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
    const silent = ['phi3_v', 'gemma3n', 'swin']
    const places = layout.modules.filter(({ layerCount }) => layerCount > 0).map(({ layerCountKeys }) => layerCountKeys.length > 0)
    if (!silent.some((family) => config['model_type'] === family)) expect(places).not.toContain(false)
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
})
