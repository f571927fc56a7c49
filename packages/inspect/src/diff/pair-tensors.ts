import type { CheckpointLayout, LayoutTensor } from '@mk/architecture'
import type { MergeInputs } from '@mk/merge'
import type { TensorSource } from '@mk/source'
import type { PreparedDiff } from './prepare-diff.ts'

/** Where a tensor is in a model, as people call it. */
export interface TensorPlace {
  /** The stack that it is in, where there are several: `language_model`. */
  readonly module?: string
  /** From 0; absent outside the layers. */
  readonly layer?: number
  /** What it is in its layer, or its name: `self_attn.q_proj`, `mlp.experts.*.up_proj`. */
  readonly kind: string
}

/** A tensor's facts in each model that has it. */
export interface TensorPair {
  readonly name: string
  readonly place: TensorPlace
  readonly a?: TensorSource | undefined
  readonly b?: TensorSource | undefined
  readonly base?: TensorSource | undefined
}

/** Puts the tensors of the models beside one another, in the order of A's, then those that B alone has. */
export function pairTensors(inputs: MergeInputs, { a, b, base }: PreparedDiff['places']): TensorPair[] {
  const of = (index: number | undefined, name: string) =>
    index === undefined ? undefined : inputs.checkpoints[index]!.tensors.get(name)
  const places = new Map([...placesIn(inputs.layouts[b]!), ...placesIn(inputs.layouts[a]!)])
  const names = new Set([a, b].flatMap((index) => [...inputs.checkpoints[index]!.tensors.keys()]))
  return [...names].map((name) => ({
    name,
    place: places.get(name) ?? { kind: kindOf(name) },
    a: of(a, name),
    b: of(b, name),
    base: of(base, name),
  }))
}

function placesIn(layout: CheckpointLayout): [string, TensorPlace][] {
  const stacks = layout.modules.filter(({ layerCount }) => layerCount > 0)
  return layout.modules.flatMap(({ names, layerPrefix, layerCount, tensors }) =>
    tensors.map((tensor): [string, TensorPlace] => [
      tensor.name,
      {
        ...(stacks.length > 1 && layerCount > 0 && { module: names[0]! }),
        ...(tensor.layer !== undefined && { layer: tensor.layer }),
        kind: kindOf(nameWithin(tensor, layerPrefix)),
      },
    ]),
  )
}

/** What follows the layer's number. */
const nameWithin = ({ name, layer, template }: LayoutTensor, layerPrefix: string | undefined): string =>
  layer === undefined || layerPrefix === undefined ? name : template.replace(/^.*?\{layer[^}]*\}\./, '')

/** Weights are meant where nothing else is said; experts are of one kind. */
const kindOf = (name: string): string => name.replace(/\.weight$/, '').replace(/\.\d+(?=\.|$)/g, '.*')
