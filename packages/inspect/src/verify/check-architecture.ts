import { type CheckpointLayout, describeCheckpoint, embeddingNames, hasHead, headNames, isTied } from '@mk/architecture'
import { issueErrorOf } from '@mk/errors'
import { expectedShape } from './expected-shapes.ts'
import { doubt, type Fault, fault } from './fault.ts'
import type { ReadOutput } from './read-output.ts'

/** Compares the tensors of an output with config.json: shapes, how many layers there are, embedding and head. */
export function checkArchitecture({ config, tensors }: Pick<ReadOutput, 'config' | 'tensors'>): Fault[] {
  if (config === undefined || tensors.size === 0) return []
  const facts = [...tensors].map(([name, { source }]) => ({ name, shape: source.shape, dtype: source.dtype }))
  // Bytes of a packing have the shapes of the packing.
  const isPacked = config['quantization_config'] !== undefined
  let layout: CheckpointLayout
  try {
    layout = describeCheckpoint(facts, config)
  } catch (error) {
    if (issueErrorOf(error)?.fault !== 'usage') throw error
    return [fault('layers', (error as Error).message)]
  }
  return [
    ...(isPacked ? [] : checkShapes(facts, config, tensors)),
    ...checkLayers(layout, config),
    ...checkEnds(layout, config),
    ...checkAlike(layout),
  ]
}

function checkShapes(
  facts: readonly { readonly name: string; readonly shape: readonly number[] }[],
  config: Readonly<Record<string, unknown>>,
  tensors: ReadOutput['tensors'],
): Fault[] {
  return facts.flatMap(({ name, shape }) => {
    const expected = expectedShape(name, config)
    if (expected === undefined || String(expected) === String(shape)) return []
    const { file } = tensors.get(name)!
    const text = `${name} is [${shape.join(', ')}], but by config.json it is [${expected.join(', ')}]`
    return [fault('shape', text, { file, tensor: name })]
  })
}

function checkLayers({ modules }: CheckpointLayout, config: Readonly<Record<string, unknown>>): Fault[] {
  return modules.flatMap(({ layerPrefix, layerCount, layerCountKeys }) =>
    layerCountKeys.flatMap((path) => {
      const stated = path.reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], config)
      return typeof stated !== 'number' || stated === layerCount
        ? []
        : [
            fault(
              'layers',
              `${layersOf(layerPrefix)} has ${layerCount} layers, but config.json says ${path.join('.')} ${stated}`,
            ),
          ]
    }),
  )
}

function checkEnds(layout: CheckpointLayout, config: Readonly<Record<string, unknown>>): Fault[] {
  const isLanguageModel = (config['architectures'] as unknown[] | undefined)?.some((name) =>
    String(name).endsWith('ForCausalLM'),
  )
  if (isLanguageModel !== true) return []
  if (embeddingNames(layout).length === 0) return [fault('tensor-missing', 'there is no token embedding')]
  return hasHead(config) && headNames(layout).length === 0 && !isTied(config, layout)
    ? [fault('tensor-missing', 'there is no head, and config.json does not tie it to the embedding')]
    : []
}

/** What the layers of a module are the parts of, as names begin. */
const layersOf = (layerPrefix: string | undefined): string => layerPrefix?.replace(/\.$/, '') ?? 'the model'

/** A layer that lacks what all others have. */
function checkAlike({ modules }: CheckpointLayout): Fault[] {
  return modules.flatMap(({ layerPrefix, layerCount, tensors }) => {
    const layers = new Map<string, Set<number>>()
    for (const { template, layer } of tensors)
      if (layer !== undefined) layers.set(template, (layers.get(template) ?? new Set<number>()).add(layer))
    return [...layers].flatMap(([template, present]) => {
      if (layerCount < 3 || present.size !== layerCount - 1) return []
      const missing = Array.from({ length: layerCount }, (_, layer) => layer).find((layer) => !present.has(layer))!
      const name = template.replace(/\{layer[^}]*\}/, String(missing))
      return [
        doubt('tensor-missing', `${name} is not there, though every other layer of ${layersOf(layerPrefix)} has one`, {
          tensor: name,
        }),
      ]
    })
  })
}
