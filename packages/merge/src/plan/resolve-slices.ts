import type { CheckpointLayout, LayoutModule } from '@mk/architecture'
import {
  type ConfigPath,
  formatModelReference,
  type MethodChoice,
  type ModelReference,
  type ModuleConfig,
  type ParameterBlock,
  sameModel,
  type SliceConfig,
  type SourceConfig,
} from '@mk/config'
import { checkInputs, type MethodDefinition, requiredParameters } from '@mk/methods'
import { matchesFilter, methodChoices, parameterBlocks } from '@mk/params'
import type { TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import { isRaw, type MergeInputs } from '../open/merge-inputs.ts'
import type { PlanContext } from './plan-context.ts'

/** The blocks in which parameters are looked up, highest precedence first. */
export type ParameterBlocks = readonly (ParameterBlock | undefined)[]

/** A module of the output: which one of the donor's it is, and what the recipe says of it. */
export interface ModulePlan {
  readonly context: PlanContext
  readonly module: LayoutModule
  readonly config: ModuleConfig
}

/** The layers of one slice, and all that the list of its tensors is made from. */
export interface SlicePlan {
  /** All that any of its methods merges: for the method of most tensors the base first, then what only others ask for. */
  readonly sources: readonly SliceSource[]
  /** How tensors are merged that no filter matches. */
  readonly main: SliceMethod
  readonly layerCount: number
  /** For parameters that are looked up once. */
  readonly blocks: ParameterBlocks
  /**
   * Tells how an output tensor of the slice is merged.
   * @throws MethodError 'base-required', 'model-count' where its method can't merge these models
   */
  methodFor(name: string): SliceMethod
}

/** A method, and what the sources of a slice are to it. */
interface SliceMethod {
  /** Where the recipe names it. */
  readonly choice: MethodChoice
  readonly method: MethodDefinition
  readonly base: SliceSource | undefined
  readonly models: readonly SliceSource[]
}

/** The layers that one model gives to a slice. */
export interface SliceSource {
  /** Position among the inputs. */
  readonly input: number
  readonly module: LayoutModule
  readonly tensors: ReadonlyMap<string, TensorSource>
  /** [first, end) in the model's layers. */
  readonly range: readonly [number, number]
  /** For parameters that each model has. */
  readonly blocks: ParameterBlocks
}

/**
 * Finds the models and the layers of each slice of a module, and the methods for its tensors.
 * @throws MergeError 'layer-range', 'slice-lengths', 'empty-slice'
 */
export function resolveSlices(plan: ModulePlan): readonly SlicePlan[] {
  const slices = plan.config.slices.map((slice) => resolveSlice(plan, slice))
  checkEmptySlices(plan, slices)
  return slices
}

function resolveSlice(plan: ModulePlan, slice: SliceConfig): SlicePlan {
  const { config, inputs } = plan.context
  const where = inputs.locate(slice.path)
  const blocks = parameterBlocks(config, plan.config, slice)
  const sources = slice.sources.map((source) => {
    const range = { range: source.layerRange, path: source.path }
    return resolveSource(plan, source.model, range, parameterBlocks(config, plan.config, slice, source))
  })
  const reference = slice.baseModel ?? config.baseModel
  const isApart = reference === undefined || slice.baseApart === true
  const listed = isApart ? -1 : slice.sources.findIndex(({ model }) => sameModel(model, reference))
  // A base that is in no list has the layers that the first source has, all of them where no source names any.
  const range = slice.sources.some(({ layerRange }) => layerRange) ? sources[0]?.range : undefined
  let unlisted: SliceSource | undefined
  const unlistedBase = () =>
    reference === undefined || listed >= 0
      ? undefined
      : (unlisted ??= resolveSource(plan, reference, { range, path: slice.path }, blocks))
  const rolesFor = (choice: MethodChoice): SliceMethod => {
    const method = plan.context.methodCalled(choice.method)
    if (method.base !== 'none') {
      const models = sources.filter((_, index) => index !== listed)
      return { choice, method, base: sources[listed] ?? unlistedBase(), models }
    }
    // mergekit, too, adds an unlisted base to `models:` only.
    const isUsed = plan.config.from === 'models' && hasOwnParameters(method, blocks)
    const also = isUsed ? unlistedBase() : undefined
    return { choice, method, base: undefined, models: also === undefined ? sources : [...sources, also] }
  }
  const choices = methodChoices(config, plan.config, slice).map(rolesFor)
  const main = choices.at(-1)!
  if (choices.length === 1) checkMethod(main, where)
  const all = unlisted === undefined ? sources : [unlisted, ...sources]
  // Layers that a file of tensors lacks are tensors like others.
  if (!(isRaw(inputs) && config.missing !== undefined && plan.config.from === 'models')) checkLengths(plan, all, where)
  const checked = new Set([choices.length === 1 ? main : undefined])
  return {
    sources: [...new Set(choices.toReversed().flatMap(sourcesOf))],
    main,
    layerCount: Math.max(...all.map(layerCountOf)),
    blocks,
    methodFor(name) {
      const found = choices.find(({ choice }) => matchesFilter(choice, name))!
      if (!checked.has(found)) checkMethod(found, where)
      checked.add(found)
      return found
    },
  }
}

/** @throws MethodError 'base-required', 'model-count' */
function checkMethod({ method, base, models }: SliceMethod, where: string): void {
  if (base !== undefined && models.length === 0 && takesAnyNumber(method)) return
  checkInputs(method, { hasBase: base !== undefined, modelCount: models.length }, where)
}

/** Lists what a method merges, the base first. */
const sourcesOf = ({ base, models }: SliceMethod): readonly SliceSource[] =>
  base === undefined ? models : [base, ...models]

interface NamedRange {
  /** Undefined: all layers. */
  readonly range: readonly [number, number] | undefined
  readonly path: ConfigPath
}

function resolveSource(
  { context: { inputs }, module: ofDonor }: ModulePlan,
  reference: ModelReference,
  { range, path }: NamedRange,
  blocks: ParameterBlocks,
): SliceSource {
  const input = inputs.indexOf(reference)
  const module = correspondingModule(inputs.layouts[input]!, ofDonor)
  const { layerCount } = module
  const [first, end] = range ?? [0, layerCount]
  if (end > layerCount)
    throw new MergeError({
      code: 'layer-range',
      model: formatModelReference(reference),
      range: [first, end],
      layerCount,
      where: inputs.locate(path),
    })
  return { input, module, tensors: inputs.checkpoints[input]!.tensors, range: [first, end], blocks }
}

/** Finds the model whose config.json tells what the layers of a slice are: the donor where it is in the slice, else the first. */
export function describedSource({ donor }: Pick<MergeInputs, 'donor'>, { sources, main }: SlicePlan): SliceSource {
  return sources.find(({ input }) => input === donor) ?? main.models[0] ?? main.base!
}

/** Finds the module of another model that corresponds; gives one without tensors where it has none. */
export function correspondingModule(layout: CheckpointLayout, module: LayoutModule): LayoutModule {
  // What remains beside several modules shares its empty prefix with the only module of others.
  const alike = layout.modules.filter((other) => isBesideStacks(other) === isBesideStacks(module))
  return (
    alike.find(({ prefix }) => prefix === module.prefix) ??
    alike.find(({ layerPrefix }) => layerPrefix !== undefined && layerPrefix === module.layerPrefix) ?? {
      ...module,
      layerCount: 0,
      tensors: [],
    }
  )
}

const isBesideStacks = ({ kind }: LayoutModule) => kind === 'rest' || kind === 'projector'

/** Without task vectors, methods that add any number of them to the base give the base: how an adapter is merged into its model. */
export const takesAnyNumber = ({ base, models }: MethodDefinition): boolean =>
  base === 'required' && models.min === 1 && models.max === undefined

/**
 * Finds out whether a model without parameters of its own gets all that the method asks of each: then an unlisted base is merged
 * like any other, as in mergekit; where mergekit would fail for want of them, the base only donates config and tokenizer.
 */
function hasOwnParameters({ parameters: { perModel } }: MethodDefinition, blocks: ParameterBlocks): boolean {
  const required = requiredParameters(perModel)
  return required.length > 0 && required.every((name) => blocks.some((block) => block?.settings.has(name)))
}

const layerCountOf = ({ range: [first, end] }: SliceSource) => end - first

function checkLengths({ context }: ModulePlan, sources: readonly SliceSource[], where: string): void {
  const lengths = sources.map((source) => ({
    model: context.inputs.labels[source.input]!,
    length: layerCountOf(source),
  }))
  if (new Set(lengths.map(({ length }) => length)).size > 1)
    throw new MergeError({ code: 'slice-lengths', lengths, where })
}

function checkEmptySlices({ context, config }: ModulePlan, slices: readonly SlicePlan[]): void {
  const hasLayers = slices.some(({ layerCount }) => layerCount > 0)
  config.slices.forEach(({ sources }, index) => {
    const source = sources.find(isWithoutLayers)
    if (source === undefined || (hasLayers && (index === 0 || index === slices.length - 1))) return
    const where = context.inputs.locate([...source.path, 'layer_range'])
    throw new MergeError({ code: 'empty-slice', range: source.layerRange!, where })
  })
}

/** Checks whether a source names layers and these are none. */
export const isWithoutLayers = ({ layerRange }: SourceConfig): boolean =>
  layerRange !== undefined && layerRange[0] === layerRange[1]
