import type { ConfigNode } from './config-tree.ts'
import { describeNode, readList, readMap, readNumber, wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import { moduleHints, rangeNames, sliceHints, sliceNames, sourceHints, sourceNames } from './key-hints.ts'
import { decodeMethod } from './decode-method.ts'
import { decodeParameters } from './decode-parameters.ts'
import type { ConfigPath, ModuleConfig, SliceConfig, SourceConfig } from './merge-config.ts'
import { decodeModelReference } from './model-reference.ts'
import { keysOf, shapes } from './schema/shapes.ts'

const modelsHint = `a model alone is written '- model: …'`
const parametersHint = 'settings of the merge method stand under parameters'
const withoutKeys = (node: ConfigNode, hint: string) => (node.kind === 'map' ? hint : undefined)

/** Decodes the entries of the config or of one module: `models` or `slices`, exactly one of them. */
export function decodeModule(
  decoding: Decoding,
  name: string | undefined,
  entries: ReadonlyMap<string, ConfigNode>,
  path: ConfigPath,
): ModuleConfig {
  const parametersPath = [...path, 'parameters']
  const from = entries.has('models') ? 'models' : 'slices'
  const node = entries.get(from)!
  const methodNode = name === undefined ? undefined : entries.get('merge_method')
  const mergeMethod = methodNode && decodeMethod(decoding, methodNode, [...path, 'merge_method'])
  return {
    name,
    slices:
      from === 'models'
        ? decodeModels(decoding, node, [...path, 'models'])
        : decodeSlices(decoding, node, [...path, 'slices']),
    parameters:
      name === undefined
        ? { path: parametersPath, settings: new Map() }
        : decodeParameters(decoding, entries.get('parameters'), parametersPath),
    path,
    from,
    ...(mergeMethod !== undefined && { mergeMethod }),
  }
}

/** Decodes `modules:`, a mapping from the name of a part of the model to its `models` or `slices`. */
export function decodeModules(decoding: Decoding, node: ConfigNode, path: ConfigPath): ModuleConfig[] {
  const expected = 'a mapping of module names to {models} or {slices}'
  if (node.kind !== 'map' || node.entries.size === 0) return wrongValue(decoding, node, path, expected) ?? []
  return [...node.entries].flatMap(([name, { value }]) => {
    const modulePath = [...path, name]
    const rules = { known: keysOf('module'), hints: moduleHints }
    const entries = readMap(decoding, value, modulePath, '{models} or {slices}', rules)
    if (entries === undefined || !hasExactlyOne(decoding, value, entries, shapes.module.oneOf, modulePath)) return []
    return [decodeModule(decoding, name, entries, modulePath)]
  })
}

/** Tells whether exactly one of `keys` is there, and reports none or several. */
export function hasExactlyOne(
  decoding: Decoding,
  node: ConfigNode,
  entries: ReadonlyMap<string, ConfigNode>,
  keys: readonly string[],
  path: ConfigPath,
): boolean {
  const given = keys.filter((key) => entries.has(key))
  if (given.length === 0) decoding.report(node.position, path, { code: 'missing-key', keys })
  const position = entries.get(given[1]!)?.position ?? node.position
  if (given.length > 1) decoding.report(position, path, { code: 'conflicting-keys', keys: given })
  return given.length === 1
}

function decodeModels(decoding: Decoding, node: ConfigNode, path: ConfigPath): SliceConfig[] {
  const items = readList(
    decoding,
    node,
    path,
    `a list of {model, parameters}`,
    withoutKeys(node, `each of them is written '- model: …'`),
  )
  const sources = (items ?? []).flatMap((item, i) => decodeSource(decoding, item, [...path, i], false) ?? [])
  return [{ sources, parameters: { path, settings: new Map() }, path }]
}

function decodeSlices(decoding: Decoding, node: ConfigNode, path: ConfigPath): SliceConfig[] {
  const items = readList(
    decoding,
    node,
    path,
    'a list of {sources, parameters}',
    withoutKeys(node, `each of them is written '- sources: …'`),
  )
  return (items ?? []).flatMap((item, i) => decodeSlice(decoding, item, [...path, i]) ?? [])
}

function decodeSlice(decoding: Decoding, node: ConfigNode, path: ConfigPath): SliceConfig | undefined {
  const entries = readMap(decoding, node, path, '{sources, parameters}', {
    known: keysOf('slice'),
    ignored: shapes.slice.ignored,
    hints: sliceHints,
    names: sliceNames,
    otherwise: parametersHint,
  })
  if (entries === undefined) return undefined
  const sourcesNode = entries.get('sources')
  const baseNode = entries.get('base_model')
  if (sourcesNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['sources'] })
  const items = readList(decoding, sourcesNode, [...path, 'sources'], 'a list of {model, layer_range, parameters}')
  const sources = (items ?? []).flatMap((item, i) => decodeSource(decoding, item, [...path, 'sources', i], true) ?? [])
  const baseModel = baseNode && decodeModelReference(decoding, baseNode, [...path, 'base_model'])
  const parameters = decodeParameters(decoding, entries.get('parameters'), [...path, 'parameters'])
  const methodNode = entries.get('merge_method')
  const mergeMethod = methodNode && decodeMethod(decoding, methodNode, [...path, 'merge_method'])
  return {
    sources,
    parameters,
    path,
    ...(baseModel !== undefined && { baseModel }),
    ...(mergeMethod !== undefined && { mergeMethod }),
  }
}

function decodeSource(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
  inSlice: boolean,
): SourceConfig | undefined {
  const expected = inSlice ? '{model, layer_range, parameters}' : '{model, parameters}'
  if (node.kind === 'scalar') return wrongValue(decoding, node, path, expected, modelsHint)
  const entries = readMap(decoding, node, path, expected, {
    known: keysOf(inSlice ? 'rangedSource' : 'source'),
    hints: inSlice
      ? sourceHints
      : { ...sourceHints, layer_range: 'ranges of layers stand under slices: [{sources: [{model, layer_range}]}]' },
    names: inSlice ? { ...sourceNames, ...rangeNames } : sourceNames,
    otherwise: parametersHint,
  })
  if (entries === undefined) return undefined
  const modelNode = entries.get('model')
  const rangeNode = entries.get('layer_range')
  if (modelNode === undefined) return decoding.report(node.position, path, { code: 'missing-key', keys: ['model'] })
  const model = decodeModelReference(decoding, modelNode, [...path, 'model'])
  const layerRange = rangeNode && decodeLayerRange(decoding, rangeNode, [...path, 'layer_range'])
  const parameters = decodeParameters(decoding, entries.get('parameters'), [...path, 'parameters'])
  return model && { model, parameters, path, ...(layerRange !== undefined && { layerRange }) }
}

function decodeLayerRange(
  decoding: Decoding,
  node: ConfigNode,
  path: ConfigPath,
): readonly [number, number] | undefined {
  const wrong = (reason: string) => {
    const found =
      node.kind === 'list'
        ? `[${node.items.map((item) => (item.kind === 'scalar' ? item.text : '…')).join(', ')}]`
        : describeNode(node)
    return decoding.report(node.position, path, { code: 'bad-layer-range', found, reason })
  }
  if (node.kind !== 'list' || node.items.length !== 2)
    return wrong('the end is not included, so [0, 32] is layers 0 to 31')
  const [start, end] = node.items.map((item, i) => readNumber(decoding, item, [...path, i]))
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end)) return wrong('layers are counted in whole numbers')
  if (start! < 0) return wrong('the first layer is 0')
  if (start! > end!) return wrong('the end is before the start')
  return [start!, end!]
}
