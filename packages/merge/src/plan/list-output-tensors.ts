import {
  type LayoutModule,
  type LayoutTensor,
  type ModuleLayers,
  nameInLayer,
  nameOutsideLayers,
  type SourceModel,
} from '@mk/architecture'
import type { MethodChoice } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import { layerDepth } from '@mk/params'
import type { PlanContext } from './plan-context.ts'
import {
  describedSource,
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
  /** Within all layers of the output's module, 0 … 1; undefined outside of them. */
  readonly layerDepth?: number | undefined
  /** Undefined: it is taken as it is from its only origin. */
  readonly method: MethodDefinition | undefined
  /** Where the recipe names the method. */
  readonly choice?: MethodChoice
  readonly base: TensorOrigin | undefined
  readonly models: readonly TensorOrigin[]
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

/** The tensors of a module, and which layers they are: what config.json of a layer's model says of it holds for it. */
export interface PlannedModule extends ModuleLayers {
  readonly tensors: readonly OutputTensor[]
  /** The models that give what each slice is made of, the base first; none where the module is copied. */
  readonly slices: readonly SlicePlan[]
  /** Makes an output tensor that follows the layers, and that no model has under that name. */
  afterLayers(tensor: Pick<OutputTensor, 'name' | 'role' | 'vocabularyAxis'>): OutputTensor
}

/** Lists the output tensors of one module: before its layers, layer by layer, after them. */
export function listOutputTensors(plan: ModulePlan): PlannedModule {
  const slices = resolveSlices(plan)
  const layerCount = slices.reduce((sum, slice) => sum + slice.layerCount, 0)
  const tensors = outsideLayers(slices[0]!, 'before', layerCount)
  const byLayer = createLayerIndex()
  const layers: { readonly layer: number; readonly source: SliceSource }[] = []
  for (const slice of slices) {
    const source = describedSource(plan.context.inputs, slice)
    for (let layer = 0; layer < slice.layerCount; layer++) {
      addLayer(tensors, slice, byLayer, { layer, outputLayer: layers.length, layerCount })
      layers.push({ layer: source.range[0] + layer, source })
    }
  }
  tensors.push(...outsideLayers(slices.at(-1)!, 'after', layerCount))
  const models = sourceModels(plan, slices)
  return {
    module: plan.module,
    tensors,
    slices,
    afterLayers: ({ name, role, vocabularyAxis }) =>
      outputTensor(
        slices.at(-1)!,
        {
          ...(role && { role }),
          ...(vocabularyAxis !== undefined && { vocabularyAxis }),
        },
        { name, depth: 0, nameIn: () => name },
      ),
    sourceLayers: layers.map(({ layer }) => layer),
    sourceModels: layers.map(({ source }) => models.get(source)),
  }
}

/** The models of the slices but for the donor, each once. */
function sourceModels(
  { context: { inputs } }: ModulePlan,
  slices: readonly SlicePlan[],
): ReadonlyMap<SliceSource, SourceModel> {
  const models = new Map<number, SourceModel>()
  const bySource = new Map<SliceSource, SourceModel>()
  for (const source of slices.flatMap(({ sources }) => sources)) {
    const { input, module } = source
    if (input === inputs.donor) continue
    const model = models.get(input) ?? { config: inputs.checkpoints[input]!.config, module }
    models.set(input, model)
    bySource.set(source, model)
  }
  return bySource
}

function outsideLayers(slice: SlicePlan, position: 'before' | 'after', layerCount: number): OutputTensor[] {
  const found = unionOfTensors(slice, ({ module }) => module.tensors.filter((tensor) => tensor.position === position))
  const tensors = found.map((tensor) =>
    outputTensor(slice, tensor, {
      name: nameOutsideLayers(tensor.template, layerCount),
      depth: 0,
      nameIn: ({ module }) => nameOutsideLayers(tensor.template, module.layerCount),
    }),
  )
  return tensors.filter(isFound)
}

type LayerIndex = (module: LayoutModule, layer: number) => readonly LayoutTensor[]

/** Finds the tensors of a layer without going through those of all. */
function createLayerIndex(): LayerIndex {
  const known = new Map<LayoutModule, Map<number, LayoutTensor[]>>()
  const indexOf = (module: LayoutModule) => {
    const layers = new Map<number, LayoutTensor[]>()
    for (const tensor of module.tensors) {
      if (tensor.layer === undefined) continue
      const others = layers.get(tensor.layer)
      if (others === undefined) layers.set(tensor.layer, [tensor])
      else others.push(tensor)
    }
    known.set(module, layers)
    return layers
  }
  return (module, layer) => (known.get(module) ?? indexOf(module)).get(layer) ?? []
}

/** Adds the tensors of a layer. @param place of the layer, `layer` counted within the slice */
function addLayer(
  tensors: OutputTensor[],
  slice: SlicePlan,
  byLayer: LayerIndex,
  {
    layer,
    outputLayer,
    layerCount,
  }: { readonly layer: number; readonly outputLayer: number; readonly layerCount: number },
): void {
  const depth = layerDepth(layer, slice.layerCount)
  const found = unionOfTensors(slice, ({ module, range }) => byLayer(module, range[0] + layer))
  const depthInAll = layerDepth(outputLayer, layerCount)
  for (const layoutTensor of found) {
    const name = nameInLayer(layoutTensor.template, outputLayer)
    const tensor = outputTensor(slice, layoutTensor, {
      name,
      depth,
      layerDepth: depthInAll,
      nameIn({ range }) {
        const own = range[0] + layer
        return own === outputLayer ? name : nameInLayer(layoutTensor.template, own)
      },
    })
    if (isFound(tensor)) tensors.push(tensor)
  }
}

/** Lists tensors by template in the order of the sources: what any of them has, once. */
function unionOfTensors(
  { sources }: SlicePlan,
  tensorsOf: (source: SliceSource) => readonly LayoutTensor[],
): LayoutTensor[] {
  const byTemplate = new Map<string, LayoutTensor>()
  for (const source of sources) {
    for (const tensor of tensorsOf(source))
      if (!byTemplate.has(tensor.template)) byTemplate.set(tensor.template, tensor)
  }
  return [...byTemplate.values()]
}

interface TensorPlace {
  readonly name: string
  readonly depth: number
  readonly layerDepth?: number
  readonly nameIn: (source: SliceSource) => string
}

/** Tells whether any has it that is merged: what only a source has that the tensor's method does not merge is left out. */
const isFound = ({ base, models }: OutputTensor): boolean =>
  base?.name !== undefined || models.some(({ name }) => name !== undefined)

function outputTensor(
  { methodFor, blocks }: SlicePlan,
  { role, vocabularyAxis }: Pick<LayoutTensor, 'role' | 'vocabularyAxis'>,
  { name, depth, layerDepth, nameIn }: TensorPlace,
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
  const { method, choice, base, models } = methodFor(name)
  return {
    name,
    role,
    vocabularyAxis,
    depth,
    layerDepth,
    method,
    choice,
    base: base && origin(base),
    models: models.map(origin),
    blocks,
  }
}

/** Takes all tensors of a module from the donor. */
export function copyModule({ config, inputs }: PlanContext, module: LayoutModule): PlannedModule {
  const blocks = [config.parameters]
  const copied = ({ name, role, vocabularyAxis }: Pick<OutputTensor, 'name' | 'role' | 'vocabularyAxis'>) => ({
    name,
    role,
    vocabularyAxis,
    depth: 0,
    method: undefined,
    base: undefined,
    models: [{ input: inputs.donor, name, expectedName: name, blocks }],
    blocks,
  })
  return {
    module,
    tensors: module.tensors.map(({ name, role, vocabularyAxis }) => copied({ name, role, vocabularyAxis })),
    slices: [],
    afterLayers: ({ name, role, vocabularyAxis }) => {
      const { models, ...rest } = copied({ name, role, vocabularyAxis })
      return { ...rest, models: models.map((origin) => ({ ...origin, name: undefined })) }
    },
    sourceLayers: Array.from({ length: module.layerCount }, (_, layer) => layer),
  }
}
