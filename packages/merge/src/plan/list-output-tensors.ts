import { type LayoutModule, type LayoutTensor, nameInLayer, nameOutsideLayers } from '@mk/architecture'
import { layerDepth } from '@mk/params'
import type { PlanContext } from './plan-context.ts'
import {
  type ModulePlan,
  type ParameterBlocks,
  resolveSlices,
  type SlicePlan,
  type SliceSource,
} from './resolve-slices.ts'

/** One output tensor, before anything is known of its dtype or its place. */
export interface OutputTensor {
  readonly name: string
  readonly role: LayoutTensor['role']
  /** The axis that has an entry per token, where there is one. */
  readonly vocabularyAxis: number | undefined
  /** Within the slice, 0 … 1, for gradients. */
  readonly depth: number
  readonly base: TensorOrigin | undefined
  readonly models: readonly TensorOrigin[]
  /** Taken as it is from its only origin, whatever the method. */
  readonly copied?: true
  /** For parameters that are looked up once. */
  readonly blocks: ParameterBlocks
}

/** The tensor of one input; `name` is undefined where the input has none that corresponds. */
export interface TensorOrigin {
  readonly input: number
  readonly name: string | undefined
  /** What it would be called there. */
  readonly expectedName: string
  /** For parameters of this model. */
  readonly blocks: ParameterBlocks
}

/** Lists the tensors that an output tensor is made from, the base first. */
export const originsOf = ({ base, models }: OutputTensor): readonly TensorOrigin[] =>
  base === undefined ? models : [base, ...models]

export interface PlannedModule {
  readonly module: LayoutModule
  readonly tensors: readonly OutputTensor[]
  /** For each output layer, which layer of the donor it stands for: what config.json says of that one holds for it. */
  readonly sourceLayers: readonly number[]
}

/** Lists the output tensors of one module: before its layers, layer by layer, after them. */
export function listOutputTensors(plan: ModulePlan): PlannedModule {
  const slices = resolveSlices(plan)
  const layerCount = slices.reduce((sum, slice) => sum + slice.layerCount, 0)
  const tensors = outsideLayers(slices[0]!, 'before', layerCount)
  const sourceLayers: number[] = []
  const lastLayer = Math.max(0, plan.module.layerCount - 1)
  for (const slice of slices) {
    for (let layer = 0; layer < slice.layerCount; layer++) {
      tensors.push(...inLayer(slice, layer, sourceLayers.length))
      sourceLayers.push(Math.min(slice.models[0]!.range[0] + layer, lastLayer))
    }
  }
  tensors.push(...outsideLayers(slices.at(-1)!, 'after', layerCount))
  return { module: plan.module, tensors, sourceLayers }
}

function outsideLayers(slice: SlicePlan, position: 'before' | 'after', layerCount: number): OutputTensor[] {
  const found = unionOfTensors(slice, ({ module }) => module.tensors.filter((tensor) => tensor.position === position))
  return found.map((tensor) =>
    outputTensor(slice, tensor, {
      name: nameOutsideLayers(tensor.template, layerCount),
      depth: 0,
      nameIn: ({ module }) => nameOutsideLayers(tensor.template, module.layerCount),
    }),
  )
}

/** @param layer counted within the slice; `outputLayer` in the output */
function inLayer(slice: SlicePlan, layer: number, outputLayer: number): OutputTensor[] {
  const depth = layerDepth(layer, slice.layerCount)
  const found = unionOfTensors(slice, ({ module, range }) =>
    module.tensors.filter((tensor) => tensor.layer === range[0] + layer),
  )
  return found.map((tensor) =>
    outputTensor(slice, tensor, {
      name: nameInLayer(tensor.template, outputLayer),
      depth,
      nameIn: ({ range }) => nameInLayer(tensor.template, range[0] + layer),
    }),
  )
}

/** Lists tensors by template in the order of the sources: what any of them has, once. */
function unionOfTensors(
  { base, models }: SlicePlan,
  tensorsOf: (source: SliceSource) => readonly LayoutTensor[],
): LayoutTensor[] {
  const byTemplate = new Map<string, LayoutTensor>()
  for (const source of base === undefined ? models : [base, ...models]) {
    for (const tensor of tensorsOf(source))
      if (!byTemplate.has(tensor.template)) byTemplate.set(tensor.template, tensor)
  }
  return [...byTemplate.values()]
}

interface TensorPlace {
  readonly name: string
  readonly depth: number
  readonly nameIn: (source: SliceSource) => string
}

function outputTensor(
  { base, models, blocks }: SlicePlan,
  { role, vocabularyAxis }: LayoutTensor,
  { name, depth, nameIn }: TensorPlace,
): OutputTensor {
  const origin = (source: SliceSource): TensorOrigin => {
    const expectedName = nameIn(source)
    return {
      input: source.input,
      name: source.tensors.has(expectedName) ? expectedName : undefined,
      expectedName,
      blocks: source.blocks,
    }
  }
  return { name, role, vocabularyAxis, depth, base: base && origin(base), models: models.map(origin), blocks }
}

/** Takes all tensors of a module from the donor. */
export function copyModule({ config, inputs }: PlanContext, module: LayoutModule): PlannedModule {
  const blocks = [config.parameters]
  const tensors = module.tensors.map(({ name, role, vocabularyAxis }): OutputTensor => ({
    name,
    role,
    vocabularyAxis,
    depth: 0,
    base: undefined,
    models: [{ input: inputs.donor, name, expectedName: name, blocks }],
    copied: true,
    blocks,
  }))
  return { module, tensors, sourceLayers: Array.from({ length: module.layerCount }, (_, layer) => layer) }
}
