import {
  type CheckpointLayout,
  type LayoutModule,
  type LayoutTensor,
  nameInLayer,
  nameOutsideLayers,
} from '@mk/architecture'
import {
  type ConfigPath,
  formatModelReference,
  type MergeConfig,
  type ModelReference,
  type ModuleConfig,
  type ParameterBlock,
  sameModel,
  type SliceConfig,
  type SourceConfig,
} from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import { layerDepth, parameterBlocks } from '@mk/params'
import { MergeError } from '../errors.ts'
import { type MergeInputs, whereOf } from './merge-inputs.ts'

type ParameterBlocks = readonly (ParameterBlock | undefined)[]

/** One output tensor, before anything is known of its dtype or its place. */
export interface OutputTensor {
  readonly name: string
  readonly role: LayoutTensor['role']
  /** The axis that has an entry per token, where there is one. */
  readonly vocabularyAxis: number | undefined
  /** Depth within the slice, 0 … 1, for gradients. */
  readonly depth: number
  readonly base: TensorOrigin | undefined
  readonly models: readonly TensorOrigin[]
  /** Taken as it is from its only origin, whatever the method. */
  readonly copied?: true
  /** Blocks for method-wide parameters, highest precedence first. */
  readonly blocks: ParameterBlocks
  readonly path: ConfigPath
}

/** The tensor of one input; `name` is undefined where the input has none that corresponds. */
export interface TensorOrigin {
  readonly input: number
  readonly name: string | undefined
  /** What it would be called there. */
  readonly expectedName: string
  /** Blocks for parameters of this model, highest precedence first. */
  readonly blocks: ParameterBlocks
}

interface ResolvedSource {
  readonly input: number
  readonly module: LayoutModule
  readonly range: readonly [number, number]
  readonly config: SourceConfig | undefined
}

interface ResolvedSlice {
  readonly base: ResolvedSource | undefined
  readonly models: readonly ResolvedSource[]
  readonly layerCount: number
  readonly config: SliceConfig
}

export interface PlannedModule {
  readonly module: LayoutModule
  readonly tensors: readonly OutputTensor[]
  /** For each output layer, which layer of the donor it stands for: what config.json says of that one holds for it. */
  readonly sourceLayers: readonly number[]
}

/** Lists the output tensors of one module: before its layers, layer by layer, after them. */
export function planModule(
  config: MergeConfig,
  moduleConfig: ModuleConfig,
  module: LayoutModule,
  inputs: MergeInputs,
  method: MethodDefinition,
): PlannedModule {
  const slices = moduleConfig.slices.map((slice) => resolveSlice(config, moduleConfig, slice, module, inputs, method))
  const layerCount = slices.reduce((sum, slice) => sum + slice.layerCount, 0)
  checkEmptySlices(moduleConfig, slices, inputs)
  const tensors: OutputTensor[] = []
  const sourceLayers: number[] = []
  const edge = (slice: ResolvedSlice, position: 'before' | 'after') => {
    for (const tensor of unionOfTensors(slice, (source) =>
      source.module.tensors.filter((entry) => entry.position === position),
    )) {
      const nameIn = (source: ResolvedSource) => nameOutsideLayers(tensor.template, source.module.layerCount)
      tensors.push(
        outputTensor(
          config,
          moduleConfig,
          slice,
          inputs,
          tensor,
          nameOutsideLayers(tensor.template, layerCount),
          0,
          nameIn,
        ),
      )
    }
  }
  edge(slices[0]!, 'before')
  for (const slice of slices) {
    for (let layer = 0; layer < slice.layerCount; layer++) {
      const inLayer = ({ module: { tensors: all }, range }: ResolvedSource) =>
        all.filter((entry) => entry.layer === range[0] + layer)
      const depth = layerDepth(layer, slice.layerCount)
      for (const tensor of unionOfTensors(slice, inLayer)) {
        const nameIn = (source: ResolvedSource) => nameInLayer(tensor.template, source.range[0] + layer)
        tensors.push(
          outputTensor(
            config,
            moduleConfig,
            slice,
            inputs,
            tensor,
            nameInLayer(tensor.template, sourceLayers.length),
            depth,
            nameIn,
          ),
        )
      }
      sourceLayers.push(Math.min(slice.models[0]!.range[0] + layer, Math.max(0, module.layerCount - 1)))
    }
  }
  edge(slices.at(-1)!, 'after')
  return { module, tensors, sourceLayers }
}

/** A module that the config leaves out: all of it comes from the donor. */
export function copyModule(config: MergeConfig, module: LayoutModule, inputs: MergeInputs): PlannedModule {
  const tensors = module.tensors.map(({ name, role, vocabularyAxis }): OutputTensor => ({
    name,
    role,
    vocabularyAxis,
    depth: 0,
    base: undefined,
    models: [{ input: inputs.donor, name, expectedName: name, blocks: [config.parameters] }],
    copied: true,
    blocks: [config.parameters],
    path: [],
  }))
  return { module, tensors, sourceLayers: Array.from({ length: module.layerCount }, (_, layer) => layer) }
}

function resolveSlice(
  config: MergeConfig,
  moduleConfig: ModuleConfig,
  slice: SliceConfig,
  module: LayoutModule,
  inputs: MergeInputs,
  method: MethodDefinition,
): ResolvedSlice {
  const where = whereOf(inputs, slice.path)
  const sources = slice.sources.map((source) => resolveSource(source, module, inputs))
  const reference = slice.baseModel ?? config.baseModel
  if (method.base === 'required' && reference === undefined)
    throw new MergeError({ code: 'base-required', method: method.name, where })
  const listed = reference === undefined ? -1 : slice.sources.findIndex(({ model }) => sameModel(model, reference))
  const isUsed = method.base !== 'none' || hasOwnParameters(method, parameterBlocks(config, moduleConfig, slice))
  const unlisted =
    reference === undefined || listed >= 0 || !isUsed
      ? undefined
      : resolveUnlistedBase(reference, slice, sources[0], module, inputs)
  const all = unlisted === undefined ? sources : [unlisted, ...sources]
  checkLengths(all, inputs, where)
  const layerCount = all[0] === undefined ? 0 : all[0].range[1] - all[0].range[0]
  if (method.base === 'none') {
    const models = unlisted === undefined ? sources : [...sources, unlisted]
    checkModelCount(method, models.length, false, where)
    return { base: undefined, models, layerCount, config: slice }
  }
  const models = sources.filter((_, index) => index !== listed)
  checkModelCount(method, models.length, reference !== undefined, where)
  return { base: sources[listed] ?? unlisted, models, layerCount, config: slice }
}

/** A base that is in no list has the layers that the first source has, all of them where no source names any. */
function resolveUnlistedBase(
  reference: ModelReference,
  slice: SliceConfig,
  first: ResolvedSource | undefined,
  module: LayoutModule,
  inputs: MergeInputs,
): ResolvedSource {
  const input = inputs.indexOf(reference)
  const own = moduleOf(inputs.layouts[input]!, module)
  const range = slice.sources.some(({ layerRange }) => layerRange) ? first?.range : undefined
  return {
    input,
    module: own,
    range: checkedRange(
      range ?? [0, own.layerCount],
      own,
      formatModelReference(reference),
      whereOf(inputs, slice.path),
    ),
    config: undefined,
  }
}

/**
 * Whether a model without parameters of its own gets all that the method asks of each: then an unlisted base is merged like
 * any other, as in mergekit; where mergekit would fail for want of them, the base only donates config and tokenizer.
 */
function hasOwnParameters({ parameters: { perModel } }: MethodDefinition, blocks: ParameterBlocks): boolean {
  const required = Object.entries(perModel).filter(([, schema]) => !schema.safeParse(undefined).success)
  return required.length > 0 && required.every(([name]) => blocks.some((block) => block?.settings.has(name)))
}

function checkEmptySlices(
  { slices: configs }: ModuleConfig,
  slices: readonly ResolvedSlice[],
  inputs: MergeInputs,
): void {
  const hasLayers = slices.some(({ layerCount }) => layerCount > 0)
  configs.forEach(({ sources }, index) => {
    const source = sources.find(({ layerRange }) => layerRange !== undefined && layerRange[0] === layerRange[1])
    if (source === undefined || (hasLayers && (index === 0 || index === configs.length - 1))) return
    throw new MergeError({
      code: 'empty-slice',
      range: source.layerRange!,
      where: whereOf(inputs, [...source.path, 'layer_range']),
    })
  })
}

function checkLengths(sources: readonly ResolvedSource[], inputs: MergeInputs, where: string): void {
  const lengths = sources.map(({ input, range }) => ({ model: inputs.labels[input]!, length: range[1] - range[0] }))
  if (new Set(lengths.map(({ length }) => length)).size > 1)
    throw new MergeError({ code: 'slice-lengths', lengths, where })
}

function checkModelCount(
  { name, models: { min, max } }: MethodDefinition,
  found: number,
  hasBase: boolean,
  where: string,
): void {
  if (found >= min && found <= (max ?? Infinity)) return
  const count = max === undefined ? `at least ${min}` : min === max ? `exactly ${min}` : `${min} to ${max}`
  throw new MergeError({
    code: 'model-count',
    method: name,
    expected: `${count} ${min === 1 && max === 1 ? 'model' : 'models'}${hasBase ? ' besides the base model' : ''}`,
    found,
    where,
  })
}

function resolveSource(source: SourceConfig, module: LayoutModule, inputs: MergeInputs): ResolvedSource {
  const input = inputs.indexOf(source.model)
  const own = moduleOf(inputs.layouts[input]!, module)
  const range = checkedRange(
    source.layerRange ?? [0, own.layerCount],
    own,
    formatModelReference(source.model),
    whereOf(inputs, source.path),
  )
  return { input, module: own, range, config: source }
}

function checkedRange(
  range: readonly [number, number],
  { layerCount }: LayoutModule,
  model: string,
  where: string,
): readonly [number, number] {
  if (range[1] > layerCount) throw new MergeError({ code: 'layer-range', model, range, layerCount, where })
  return range
}

/** The module of another model that corresponds; one without tensors where it has none. */
export function moduleOf(layout: CheckpointLayout, module: LayoutModule): LayoutModule {
  return (
    layout.modules.find(({ prefix }) => prefix === module.prefix) ??
    layout.modules.find(({ layerPrefix }) => layerPrefix !== undefined && layerPrefix === module.layerPrefix) ?? {
      ...module,
      layerCount: 0,
      tensors: [],
    }
  )
}

/** Tensors by template in the order of the sources: what any of them has, once. */
function unionOfTensors(
  slice: ResolvedSlice,
  tensorsOf: (source: ResolvedSource) => readonly LayoutTensor[],
): LayoutTensor[] {
  const byTemplate = new Map<string, LayoutTensor>()
  for (const source of slice.base === undefined ? slice.models : [slice.base, ...slice.models]) {
    for (const tensor of tensorsOf(source))
      if (!byTemplate.has(tensor.template)) byTemplate.set(tensor.template, tensor)
  }
  return [...byTemplate.values()]
}

function outputTensor(
  config: MergeConfig,
  moduleConfig: ModuleConfig,
  slice: ResolvedSlice,
  inputs: MergeInputs,
  tensor: LayoutTensor,
  name: string,
  depth: number,
  nameIn: (source: ResolvedSource) => string,
): OutputTensor {
  const origin = (source: ResolvedSource): TensorOrigin => {
    const expectedName = nameIn(source)
    const present = inputs.checkpoints[source.input]!.tensors.has(expectedName)
    return {
      input: source.input,
      name: present ? expectedName : undefined,
      expectedName,
      blocks: parameterBlocks(config, moduleConfig, slice.config, source.config),
    }
  }
  return {
    name,
    role: tensor.role,
    vocabularyAxis: tensor.vocabularyAxis,
    depth,
    base: slice.base === undefined ? undefined : origin(slice.base),
    models: slice.models.map(origin),
    blocks: parameterBlocks(config, moduleConfig, slice.config),
    path: slice.config.path,
  }
}
