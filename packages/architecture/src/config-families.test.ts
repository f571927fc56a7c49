import { describe, expect, it } from 'vitest'
import { type TransformersFamily, transformersFamilies, unknownFamilies } from './__fixtures__/transformers-configs.ts'
import { meaningOf } from './config-keys.ts'
import { familyFixtures } from './fixtures/index.ts'
import {
  describeCheckpoint,
  embeddingNames,
  findPeriodicSettings,
  findUnreadableLayers,
  listLayerDoubts,
  type ModelConfig,
  nameInLayer,
  reviseConfig,
} from './index.ts'
import { withSetting } from './settings.ts'

const withChanges = (config: ModelConfig, changes: Readonly<Record<string, unknown>>) =>
  Object.entries(changes).reduce((revised, [path, value]) => withSetting(revised, path.split('.'), value), config)
const moduleAt = ({ tensors, config }: TransformersFamily, path: string) =>
  describeCheckpoint(tensors, config).modules.find(({ layerPrefix }) => layerPrefix === `${path}.`)!
const threeAndThree = [0, 1, 2, 0, 1, 2]
const stacks = transformersFamilies.flatMap((family) =>
  Object.entries(family.stacks).map(([name, stack]) => ({ name: `${family.family} ${name}`, family, stack })),
)
it('knows of every family what transformers says, or why it says nothing', () => {
  const known = new Set([...transformersFamilies.map(({ family }) => family), ...Object.keys(unknownFamilies)])
  expect(familyFixtures.map(({ family }) => family).filter((family) => !known.has(family))).toEqual([])
  expect(transformersFamilies.length).toBeGreaterThan(110)
})

describe.each(transformersFamilies)('config.json of $family', (family) => {
  const { config, tensors, vocabulary } = family
  const { modules, notes } = describeCheckpoint(tensors, config)

  it('has the layer counts that the tensors have', () => {
    expect(notes).toEqual([])
    expect(modules.filter(({ layerCount }) => layerCount > 0).map(({ layerPrefix }) => layerPrefix)).toEqual(
      expect.arrayContaining(Object.values(family.stacks).map(({ path }) => `${path}.`)),
    )
  })

  it('stays as it is after a linear merge of all layers', () => {
    const layers = modules.map((module) => ({ module, sourceLayers: [...Array(module.layerCount).keys()] }))
    expect(reviseConfig(config, { layers, vocabularySize: 40, donorVocabularySize: 40 })).toEqual(config)
    const other = { config, module: modules[0]! }
    const ofOthers = layers.map((entry) => ({ ...entry, sourceModels: entry.sourceLayers.map(() => other) }))
    expect(reviseConfig(config, { layers: ofOthers.slice(0, 1) })).toEqual(config)
    expect(findPeriodicSettings(config, ofOthers.slice(0, 1))).toEqual([])
  })

  it('follows the vocabulary as the class does', () => {
    const name = embeddingNames({ family: undefined, modules, notes })[0]
    const rowCount = tensors.find((tensor) => tensor.name === name)?.shape[0] ?? 40
    if (name === undefined && Object.keys(vocabulary).length === 0) return
    const revision = { vocabularySize: rowCount + 8, donorVocabularySize: rowCount }
    expect(reviseConfig(config, revision)).toEqual(withChanges(config, vocabulary))
  })

  it('has its experts and widths in the table', () => {
    const meanings = (paths: readonly string[]) =>
      new Set(paths.map((path) => meaningOf(path.split('.').at(-1)!, undefined)))
    expect(
      [...meanings(family.experts)].filter((meaning) => meaning !== 'expert-count' && meaning !== 'per-layer'),
    ).toEqual([])
    expect([...meanings(family.widths)].filter((meaning) => meaning === undefined)).toEqual([])
  })
})

describe.each(stacks)('three and three layers of $name', ({ family, stack }) => {
  const { config, tensors } = family
  const module = moduleAt(family, stack.path)
  const layers = [{ module, sourceLayers: threeAndThree }]

  it('have the config that transformers reads', () => {
    expect(reviseConfig(config, { layers })).toEqual(withChanges(config, stack.changes))
  })

  it('are what they were by that config, or what tells that they are not is named', () => {
    const all = describeCheckpoint(tensors, config).modules.map((other) =>
      other.layerPrefix === module.layerPrefix
        ? { module: other, sourceLayers: threeAndThree }
        : { module: other, sourceLayers: [...Array(other.layerCount).keys()] },
    )
    const unreadable = findUnreadableLayers(config, all)
    const { missing = [], shapes = {} } = stack.unfit ?? {}
    expect([unreadable, unreadable.length > 0]).toEqual([unreadable, missing.length + Object.keys(shapes).length > 0])
    const named = [...findPeriodicSettings(config, all), ...listLayerDoubts(config, all), ...unreadable]
    expect([named, named.length > 0]).toEqual([named, stack.unfit !== undefined])
    // Of the names that transformers looks for in vain, each is among those that are told.
    const told = unreadable.flatMap(({ path, layers: places }) =>
      places.flatMap(({ place, missing: names }) => names.map((name) => `${path}.${place}.${name}`)),
    )
    const isTold = (name: string) =>
      told.includes(name) ||
      unreadable.some(({ partByLayer }) => partByLayer.some((list) => name.startsWith(`${list}.`)))
    expect(missing.filter((name) => !isTold(name))).toEqual([])
  })

  it('are numbered as transformers numbers them', () => {
    const doubled = module.tensors.flatMap(({ name, template, layer }) =>
      layer === undefined ? [] : [name, nameInLayer(template, layer + 3)],
    )
    const inLayers = tensors.filter(({ name }) => name.startsWith(`${stack.path}.`))
    expect(new Set(doubled).size).toBe(inLayers.length * 2)
  })
})
