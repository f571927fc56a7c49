import {
  alignTensors,
  type CheckpointLayout,
  describeCheckpoint,
  embeddingNames,
  headNames,
  type LayoutTensor,
  nameInLayer,
  untiedHeadName,
} from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { type SpreadLayers, spreadLayers } from './spread-layers.ts'

export interface DescribedCheckpoint {
  readonly checkpoint: Checkpoint
  readonly layout: CheckpointLayout
}

/** Finds out what the tensors of a model are, by the architecture that the config gives it if it does. @throws ArchitectureError */
export function describeInput(checkpoint: Checkpoint): DescribedCheckpoint {
  const { tensors, reference } = checkpoint
  const config =
    reference.overrideArchitecture === undefined
      ? checkpoint.config
      : { ...checkpoint.config, architectures: [reference.overrideArchitecture] }
  const facts = [...tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }))
  return { checkpoint: { ...checkpoint, config }, layout: describeCheckpoint(facts, config) }
}

/**
 * Gives the tensors of a model the names that corresponding ones have in another, layers beyond the other's included: the
 * language part of a vision model those of a text model, a model saved without an outer prefix those with it.
 */
export function renameLike(donor: DescribedCheckpoint, other: DescribedCheckpoint): DescribedCheckpoint {
  const spread = spreadLayers(donor.layout, other.layout)
  return spread === undefined ? renameAlike(donor, other) : renameSpread(donor, other, spread)
}

function renameAlike(donor: DescribedCheckpoint, other: DescribedCheckpoint): DescribedCheckpoint {
  const names = new Map<string, string>()
  const templates = new Map<string, string>()
  const renamed = [...alignTensors(donor.layout, other.layout).pairs].filter(([name, otherName]) => name !== otherName)
  if (renamed.length === 0) return other
  const inDonor = tensorsByName(donor.layout)
  const inOther = tensorsByName(other.layout)
  for (const [donorName, otherName] of renamed) {
    names.set(otherName, donorName)
    templates.set(inOther.get(otherName)!.template, inDonor.get(donorName)!.template)
  }
  if (!mostCorrespond(other.layout, names)) return other
  const [head] = headNames(other.layout)
  // A tied donor has no head whose name it could get.
  if (head !== undefined && embeddingNames(donor.layout).length > 0 && headNames(donor.layout).length === 0)
    names.set(head, untiedHeadName(donor.layout))
  for (const { name, layer, template } of inOther.values()) {
    const like = templates.get(template)
    if (like !== undefined && layer !== undefined && !names.has(name)) names.set(name, nameInLayer(like, layer))
  }
  const tensors = new Map([...other.checkpoint.tensors].map(([name, source]) => [names.get(name) ?? name, source]))
  // Two tensors that would get one name show that the two models correspond by chance only.
  return tensors.size < other.checkpoint.tensors.size ? other : describeInput({ ...other.checkpoint, tensors })
}

/** The same, where the text model's layers are to stand between others, whose number counts. */
function renameSpread(
  whole: DescribedCheckpoint,
  text: DescribedCheckpoint,
  { names, layerCount }: SpreadLayers,
): DescribedCheckpoint {
  const tensors = new Map([...text.checkpoint.tensors].map(([name, source]) => [names.get(name) ?? name, source]))
  const { checkpoint, layout } = renameAlike(whole, describeInput({ ...text.checkpoint, tensors }))
  const modules = layout.modules.map((module) => (module.layerCount > 0 ? { ...module, layerCount } : module))
  return { checkpoint, layout: { ...layout, modules, notes: text.layout.notes } }
}

/** Whether the layers are the same but for their path: some equal words inside them (`mlp.fc1`) don't make two models alike. */
function mostCorrespond({ modules }: CheckpointLayout, names: ReadonlyMap<string, string>): boolean {
  return modules.every(({ tensors }) => {
    const inLayers = tensors.filter(({ layer, role }) => layer !== undefined && role !== 'buffer')
    const all = new Set(inLayers.map(({ template }) => template))
    const renamed = new Set(inLayers.filter(({ name }) => names.has(name)).map(({ template }) => template))
    return renamed.size === 0 || renamed.size * 2 > all.size
  })
}

const tensorsByName = (layout: CheckpointLayout): ReadonlyMap<string, LayoutTensor> =>
  new Map(layout.modules.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.name, tensor] as const)))
