import type { ConfigNode } from './config-tree.ts'
import { decodeParameters } from './decode-parameters.ts'
import { wrongValue } from './decoding.ts'
import type { Decoding } from './decoding.ts'
import type { ModelReference, ModuleConfig, ParameterBlock } from './merge-config.ts'
import { decodeModelReference, formatModelReference, sameModel } from './model-reference.ts'
import { nearest } from '@mk/errors'

const path = ['input_model_parameters']

/** Decodes `input_model_parameters: {<model>: {<parameter>: …}}` of early versions: every source with that model gets the block. */
export function attachModelParameters(
  decoding: Decoding,
  node: ConfigNode,
  modules: readonly ModuleConfig[],
  base: ModelReference | undefined,
): ModuleConfig[] {
  const blocks = decodeBlocks(decoding, node)
  const models = modules.flatMap(({ slices }) => slices.flatMap(({ sources }) => sources.map(({ model }) => model)))
  for (const { model, key, block } of blocks) {
    if (
      models.length === 0 ||
      [...models, ...(base === undefined ? [] : [base])].some((used) => sameModel(used, model))
    )
      continue
    const known = [...new Set(models.map(formatModelReference))]
    const guess = nearest(key, known)
    const position = node.kind === 'map' ? node.entries.get(key)?.keyPosition : undefined
    decoding.report(position, block.path.slice(0, -1), {
      code: 'unknown-key',
      key,
      known,
      ...(guess !== undefined && { nearest: guess }),
    })
  }
  return modules.map((module) => ({
    ...module,
    slices: module.slices.map((slice) => ({
      ...slice,
      sources: slice.sources.map((source) => {
        const own = blocks.find(({ model }) => sameModel(model, source.model))
        return own === undefined ? source : { ...source, modelParameters: own.block }
      }),
    })),
  }))
}

function decodeBlocks(
  decoding: Decoding,
  node: ConfigNode,
): { model: ModelReference; key: string; block: ParameterBlock }[] {
  if (node.kind !== 'map') return wrongValue(decoding, node, path, 'a mapping of models to their parameters') ?? []
  return [...node.entries].flatMap(([key, { keyPosition, value }]) => {
    const keyNode: ConfigNode = { kind: 'scalar', value: key, text: key, quoted: true, position: keyPosition }
    const model = decodeModelReference(decoding, keyNode, [...path, key])
    const block = decodeParameters(decoding, value, [...path, key])
    return model === undefined ? [] : [{ model, key, block }]
  })
}
