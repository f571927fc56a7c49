import {
  type ConfigPath,
  formatModelReference,
  type MergeConfig,
  type MethodChoice,
  type ModelReference,
  type ModuleConfig,
  type ParameterBlock,
  type ParameterSetting,
  sameModel,
  type SliceConfig,
  type SourceConfig,
} from '@mk/config'
import { hasCode, issueErrorOf } from '@mk/errors'
import {
  checkInputs,
  checkParameterName,
  checkParameterValue,
  doubtParameterValue,
  type MethodDefinition,
  MethodError,
  type ParameterDeclaration,
  parameterNames,
  requiredParameters,
} from '@mk/methods'
import { listMethodChoices, methodChoices, parameterBlocks } from '@mk/params'
import { listValues } from '../plan/list-values.ts'
import { anyOf, embeddingSettings, usedDeclarations } from '../plan/plan-parameters.ts'
import { takesAnyNumber } from '../plan/resolve-slices.ts'

/** What is wrong with a recipe, and where. */
export interface RecipeFault {
  readonly path: ConfigPath
  readonly error: Error
}

export interface RecipeCheck {
  readonly faults: readonly RecipeFault[]
  /** What is understood but may not be meant; each with file, line and column. */
  readonly warnings: readonly string[]
  /** Where parameters stand that no method has: nothing below is worth a word. */
  readonly unknown: readonly ConfigPath[]
}

interface CheckOptions {
  /** Gives each method that the recipe names. */
  readonly methodCalled: (name: string) => MethodDefinition
  /** All methods that there are. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** Gives 'file:line:column' of a value in the recipe, or of its key. */
  readonly locate: (path: ConfigPath, at?: 'value' | 'key') => string
  /** Parameters that no method has are warnings. */
  readonly lenient: boolean
  /** What of the recipe could not be read: unless all of it belongs to unknown parameters, what is missing may not be. */
  readonly unread: readonly ConfigPath[]
}

/**
 * Checks all that a recipe says of its methods, before any model is opened: names, values and number of things. Which tensors a filter
 * matches is not known yet: what a method needs of them is checked where it is for all tensors.
 */
export function checkRecipe(config: MergeConfig, options: CheckOptions): RecipeCheck {
  const check = new Check(config, options)
  check.names()
  check.values()
  if (options.unread.every((path) => check.unknown.some((start) => startsWith(path, start)))) {
    check.inputs()
    // Who has no base yet is told of the rest when there is one.
    if (!check.faults.some(({ error }) => hasCode(error, 'base-required', 'model-count'))) check.missing()
    check.repeatedModels()
  }
  return { faults: check.faults, warnings: [...check.warnings], unknown: check.unknown }
}

/** Tells whether a place is another, or inside of it. */
export const startsWith = (path: ConfigPath, start: ConfigPath): boolean =>
  start.every((part, index) => path[index] === part)

/** One pass over a recipe, and what it found. */
class Check {
  readonly faults: RecipeFault[] = []
  readonly warnings = new Set<string>()
  readonly unknown: ConfigPath[] = []
  /** Parameters that an unknown name was probably meant to be. */
  private readonly meant = new Set<string>()
  private readonly texts = new Set<string>()
  private readonly config: MergeConfig
  private readonly options: CheckOptions
  private readonly named: readonly MethodDefinition[]
  private readonly declarations: readonly ParameterDeclaration[]

  constructor(config: MergeConfig, options: CheckOptions) {
    this.config = config
    this.options = options
    this.named = [...new Set(listMethodChoices(config).map(({ method }) => options.methodCalled(method)))]
    this.declarations = usedDeclarations(config, this.named)
  }

  /** Reports parameters that no method has. */
  names(): void {
    const { methods, locate, lenient } = this.options
    const method = anyOf(this.named)
    const others = [...parameterNames(embeddingSettings), ...[...methods.values()].flatMap(parameterNames)]
    for (const { block, name } of this.settings()) {
      const path = [...block.path, name]
      const where = locate(path, 'key')
      const error = errorOf(() => checkParameterName(method, name, { others, ...(!lenient && { where }) }))
      if (error === undefined) continue
      const { nearest } = (error as MethodError).issue as { readonly nearest?: string }
      if (nearest !== undefined) this.meant.add(nearest)
      this.unknown.push(path)
      if (lenient) this.warnings.add(`${where}: ignored: ${error.message}`)
      else this.report(path, error)
    }
  }

  /** Reports values of the wrong type or out of range, and doubts those that can hardly be meant. */
  values(): void {
    const { locate } = this.options
    for (const { block, name, setting, source, model } of this.settings()) {
      const declared = this.declarations.filter((each) => parameterNames(each).includes(name))
      if (declared.length === 0 || (source !== undefined && !isPerModel(this.declarations, name))) continue
      const ofMethods = declared.filter((each) => each !== embeddingSettings)
      const modelName = source && formatModelReference(source.model)
      for (const { value, path } of listValues(setting, [...block.path, name])) {
        const where = locate(path)
        const place = { where, modelName, ...(model !== undefined && { model }) }
        const takers = ofMethods.length > 0 ? ofMethods : declared
        const errors = takers.map((each) => errorOf(() => checkParameterValue(each, name, value, place)))
        const refused = errors.every((error) => error !== undefined)
        if (refused) {
          this.report(path, errors[0]!)
          continue
        }
        const doubts = takers
          .filter((_, index) => errors[index] === undefined)
          .map((each) => doubtParameterValue(each, name, value))
        const speaker = takers[0] === embeddingSettings ? this.named[0]! : takers[0]!
        if (doubts.every((doubt) => doubt !== undefined)) this.warnings.add(`${where}: ${speaker.name}: ${doubts[0]!}`)
      }
    }
  }

  /** Reports a base that is missing, and too few or too many models. */
  inputs(): void {
    const { locate } = this.options
    for (const { slice, method } of this.slices()) {
      const reference = slice.baseModel ?? this.config.baseModel
      const hasBase = method.base !== 'none' && reference !== undefined
      const listed = hasBase && slice.sources.some(({ model }) => sameModel(model, reference))
      const modelCount = slice.sources.length - (listed ? 1 : 0)
      if (hasBase && modelCount === 0 && slice.sources.length > 0 && takesAnyNumber(method)) continue
      const error = errorOf(() => checkInputs(method, { hasBase, modelCount }, locate(slice.path)))
      if (error !== undefined) this.report(slice.path, error)
    }
  }

  /** Reports parameters that must be set and stand in none of the blocks that hold. */
  missing(): void {
    const { locate } = this.options
    const lacks = (name: string, blocks: readonly (ParameterBlock | undefined)[]) =>
      !this.meant.has(name) && !blocks.some((block) => block?.settings.has(name))
    for (const { module, slice, method, choice } of this.slices()) {
      const { perModel, methodWide } = method.parameters
      for (const parameter of requiredParameters(methodWide)) {
        if (!lacks(parameter, parameterBlocks(this.config, module, slice))) continue
        const hint = `write '${parameter}' under the top level's 'parameters'`
        const { path } = choice
        const place = { where: locate(path), hint, modelName: undefined }
        this.report(path, new MethodError({ code: 'missing-parameter', method: method.name, parameter, ...place }))
      }
      for (const [model, source] of this.mergedSources(slice, method).entries()) {
        for (const parameter of requiredParameters(perModel)) {
          if (!lacks(parameter, parameterBlocks(this.config, module, slice, source))) continue
          const hint = `write '${parameter}' under the model's or the top level's 'parameters'`
          const place = { where: locate(source.path), hint, modelName: formatModelReference(source.model) }
          const issue = { code: 'missing-parameter', method: method.name, parameter, model, ...place } as const
          this.report(source.path, new MethodError(issue))
        }
      }
    }
  }

  /** Warns of a model whose same layers are merged with one another: it counts twice. */
  repeatedModels(): void {
    for (const { slice } of this.slices()) {
      const byName = new Map<string, SourceConfig[]>()
      for (const source of slice.sources) {
        const alike = byName.get(folderName(source.model)) ?? []
        byName.set(folderName(source.model), [...alike, source])
        const first = alike.find((other) => isSameInput(source, other))
        if (first === undefined) continue
        const [where, before] = [source, first].map(({ path }) => this.options.locate([...path, 'model']))
        const name = formatModelReference(source.model)
        this.warnings.add(`${where}: ${name} is named twice, first at ${before}: it is merged with itself`)
      }
    }
  }

  private report(path: ConfigPath, error: Error): void {
    if (this.texts.size < this.texts.add(error.message).size) this.faults.push({ path, error })
  }

  /** All but the base, whose own parameters mean nothing. */
  private mergedSources({ sources, baseModel }: SliceConfig, method: MethodDefinition): readonly SourceConfig[] {
    const base = method.base === 'none' ? undefined : (baseModel ?? this.config.baseModel)
    const listed = base === undefined ? -1 : sources.findIndex(({ model }) => sameModel(model, base))
    return sources.filter((_, index) => index !== listed)
  }

  /** Lists the slices, each with the method that all its tensors have which no filter matches. */
  private *slices(): Generator<CheckedSlice> {
    for (const module of this.config.modules)
      for (const slice of module.slices) {
        const choice = methodChoices(this.config, module, slice).at(-1)!
        yield { module, slice, choice, method: this.options.methodCalled(choice.method) }
      }
  }

  private *settings(): Generator<Setting> {
    yield* settingsOf(this.config.parameters)
    for (const module of this.config.modules) yield* settingsOf(module.parameters)
    for (const { slice, method } of this.slices()) {
      yield* settingsOf(slice.parameters)
      const models = new Map(this.mergedSources(slice, method).map((source, model) => [source, model]))
      for (const source of slice.sources) {
        for (const block of [source.parameters, source.modelParameters])
          yield* settingsOf(block, { source, model: models.get(source) })
      }
    }
  }
}

interface CheckedSlice {
  readonly module: ModuleConfig
  readonly slice: SliceConfig
  readonly method: MethodDefinition
  readonly choice: MethodChoice
}

interface Setting {
  readonly block: ParameterBlock
  readonly name: string
  readonly setting: ParameterSetting
  /** The model that it was written for; undefined where it holds for all. */
  readonly source?: SourceConfig
  /** Its place among the models of its slice, the base not counted. */
  readonly model?: number | undefined
}

const settingsOf = (block: ParameterBlock | undefined, of: Pick<Setting, 'source' | 'model'> = {}): Setting[] =>
  [...(block?.settings ?? [])].map(([name, setting]) => ({ block: block!, name, setting, ...of }))

const isPerModel = (declarations: readonly ParameterDeclaration[], name: string) =>
  declarations.some(({ parameters }) => Object.hasOwn(parameters.perModel, name))

/** The last part of a path, which two spellings of one folder share. */
const folderName = ({ path }: ModelReference) => path.split(/[/\\]/).findLast((part) => part !== '') ?? ''

const isSameInput = (a: SourceConfig, b: SourceConfig): boolean =>
  sameModel(a.model, b.model) && sameArchitecture(a.model, b.model) && String(a.layerRange) === String(b.layerRange)

const sameArchitecture = (a: ModelReference, b: ModelReference) => a.overrideArchitecture === b.overrideArchitecture

function errorOf(check: () => void): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    if (issueErrorOf(error) === undefined) throw error
    return error as Error
  }
}
