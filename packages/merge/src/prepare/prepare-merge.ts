import type { Checkpoint, DownloadProgress, HubOptions } from '@mk/checkpoint'
import type { ModelPlaces } from '@mk/checkpoint/portable'
import { formatModelReference, type MergeConfig, type MethodChoice } from '@mk/config'
import { builtinMethods, type MethodDefinition, sumOfModels } from '@mk/methods'
import { listMethodChoices } from '@mk/params'
import { abortableFiles, folderOfPath, nameOfPath, untilAborted } from '@mk/source'
import { MergeError } from '../errors.ts'
import { headSources } from '../open/compare-stored-heads.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { OutputVocabulary } from '../open/output-vocabulary.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { PlanSettings } from '../plan/plan-context.ts'
import type { Recipe } from '../recipe.ts'
import { listStages, usedRecipes } from '../stages/list-merges.ts'
import { createStageModels, listShadowed, type StageModels } from '../stages/open-stages.ts'
import { planStages, type PreparedStage } from '../stages/plan-stages.ts'
import { withStages } from '../stages/prune-stages.ts'
import { type AwaitedModel, type DownloadOptions, listAwaited } from './awaited.ts'
import { openLike } from './output-formats.ts'
import { type OutputSettings, withOutput } from './output-kind.ts'
import { planRecipe } from './plan-recipe.ts'
import { type ReadRecipe, readRecipeFile } from './read-recipe.ts'
import { refuseToken } from './refuse-token.ts'

/** What to merge, and settings; without the latter: seed 0, files of at most 5 · 10⁹ bytes, tokenizer and model card written, one architecture. */
export type PrepareOptions<Own extends MethodDefinition = never> = PrepareSettings & RecipeSource<Own>

/** A recipe, and where it stands. */
export type RecipeSource<Own extends MethodDefinition = never> =
  | {
      /** The YAML. */
      readonly text: string
      /** The file it stands in, for errors and for models beside it. */
      readonly file?: string
      readonly recipe?: undefined
    }
  | {
      /** The recipe as an object with the keys of the YAML; errors name paths in it. */
      readonly recipe: Recipe<Own>
      readonly text?: undefined
      readonly file?: undefined
    }

/** What a plan depends on besides recipe and models. */
export interface PrepareSettings extends Partial<PlanSettings>, OutputSettings {
  /** All that a recipe may name; the built-in ones if absent. */
  readonly methods?: ReadonlyMap<string, MethodDefinition>
  /** Folders in which relative paths are looked for, in this order; absent: the current one, then that of the recipe's file. */
  readonly roots?: readonly string[]
  /** Loads a method that the config names as a module (`./my-method.mjs`, relative to `folder`), where `allowCode` lets it. */
  readonly loadMethod?: (module: string, folder: string) => Promise<MethodDefinition>
  /**
   * Which modules a config may name as its method; their code is run. True: any. A list: these files, by absolute path.
   * Absent: none, a config is data.
   */
  readonly allowCode?: boolean | readonly string[]
  /** Of the model, for people, where the output tells it; by default that of the recipe's file. */
  readonly name?: string
  /** llama.cpp's name of the way in which text is split, for a GGUF of a tokenizer where it isn't recognized. */
  readonly preTokenizer?: string
  /** A GGUF of a model like the output: its metadata is taken for a family without a map, its tokenizer for any. */
  readonly ggufLike?: string
  readonly hub?: HubOptions
  /** Ends the preparation, and later the download, with its reason. */
  readonly signal?: AbortSignal
  /** Of hub files that are needed before anything can be planned. */
  readonly onDownload?: (progress: DownloadProgress) => void
  /** Round what one merge gives another to the dtype that it would be written in, as if it had been written and read again. */
  readonly roundIntermediates?: boolean
  /** Plan the merges of the file that the output is not made of, too. */
  readonly withUnused?: boolean
  /**
   * The recipes of the file all have names, and none is the output: `stages` are all of them, for `keepStages`, and `plan` is that of the
   * last. What is said here of the output changes none of them.
   */
  readonly allNamed?: boolean
  /** Called before a plan is made, during which no event is handled: of large models that takes seconds. */
  readonly onPlan?: () => void | Promise<void>
}

/** A merge that has been checked and planned, and of which nothing has been written. */
export interface PreparedMerge {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** Those given, those that recipes name as modules, and what sums of models are computed by. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** The merges that others are made of, each after those that it is made of; after `download` those to run. */
  readonly stages: readonly PreparedStage[]
  readonly plan: MergePlan
  /** About the config, what was understood but may not be meant, and what changes nothing; about the vocabulary, what the output can't do. */
  readonly warnings: readonly string[]
  /** Models whose weights `download` would bring. */
  readonly awaited: readonly AwaitedModel[]
  /** What was decided for tokens that needed a decision; empty without a tokenizer setting. */
  readonly tokens: OutputVocabulary['decisions']
  /**
   * Brings the weights of hub models that are not in the cache yet, if there is room for them and for the output in `out`.
   * @returns the plan to run: another one than `plan` where a head that came differs from the embedding it was taken for
   * @throws CheckpointError; MergeError 'disk-space', 'output-is-input'
   */
  download(options?: DownloadOptions): Promise<MergePlan>
  /** Deletes what `download` has left on disks for the plan to be read from: to be called when it is carried out, or is not going to be. */
  release?(): Promise<void>
}

/** Where a merge is prepared. */
export interface PrepareSite extends ModelPlaces {
  /** The folder that relative paths start from. */
  readonly current: string
  /** Folders without config.json are sets of tensors, as files of weights are. */
  readonly allowNoConfig?: boolean
  /** Gives the path of a module that a config names, relative to a folder; absent where modules can't be loaded. */
  readonly pathOfModule?: (module: string, folder: string) => string
  /** Brings the weights that are not here yet, see `download` of PreparedMerge; absent where files are read where they are. */
  readonly downloadWeights?: (
    checkpoints: readonly Checkpoint[],
    plan: MergePlan,
    options: DownloadOptions,
  ) => Promise<void>
}

/**
 * Reads a recipe, opens its models as far as their headers, and plans the merge, wherever the files are. No weights are read or
 * fetched. Of several recipes in the text the one without a name is the output, and the others are merges that models may be.
 * @throws ConfigError, CheckpointError, ArchitectureError, TokenizerError, MethodError, MergeError
 */
export function prepareMergeAt<Own extends MethodDefinition = never>(
  site: PrepareSite,
  options: PrepareOptions<Own>,
): Promise<PreparedMerge> {
  const { signal } = options
  if (signal === undefined) return prepareAt(site, options)
  const signals = [signal, ...(options.hub?.signal ? [options.hub.signal] : [])]
  const hub = { ...options.hub, signal: AbortSignal.any(signals) }
  return untilAborted(signal, () =>
    prepareAt({ ...site, store: abortableFiles(site.store, signal) }, { ...options, hub }),
  )
}

async function prepareAt<Own extends MethodDefinition>(
  site: PrepareSite,
  options: PrepareOptions<Own>,
): Promise<PreparedMerge> {
  const { file, seed = 0, shardBytes, copyTokenizer = true, writeModelCard = true } = options
  const { allowMixedArchitectures = false, lenient = false, methods: known = builtinMethods } = options
  const isOwn = (name: string) => options.loadMethod !== undefined && isModule(name, known)
  const given: string | object = options.recipe ?? options.text!
  refuseToken(given, file)
  const allNamed = options.allNamed ?? false
  const all = readRecipeFile(given, { file, lenient, allNamed, methods: known, isModule: isOwn })
  const names = all.flatMap(({ config: { name } }) => name ?? [])
  const last = all.at(-1)!
  const whole = allNamed ? all : [...all.slice(0, -1), { ...last, config: withOutput(last.config, options) }]
  const used = allNamed || options.withUnused === true ? whole : usedRecipes(whole)
  const folder = file === undefined ? site.current : folderOfPath(site.store.resolve(site.current, file))
  const modules = used.flatMap(({ config, locate }) =>
    listMethodChoices(config)
      .filter(({ method }) => isOwn(method))
      .map(({ method, path }) => ({ method, where: locate(path) })),
  )
  for (const { method, where } of modules) checkCodeAllowed(method, site.pathOfModule?.(method, folder), where, options)
  const roots = options.roots ?? [...new Set([site.current, folder])]
  let loading: Promise<ReadonlyMap<string, MethodDefinition>> | undefined
  // Once the models of the first that is planned are found.
  const loadMethods = () => (loading ??= withMethodModules(modules, folder, options))
  const listed = listStages(used)
  const stages = allNamed ? listed.slice(0, -1) : listed
  const name = options.name ?? (file === undefined ? 'merged' : nameOfPath(file).replace(/(?<=.)\.[^.]*$/, ''))
  const common = {
    places: site,
    methods: loadMethods,
    text: last.text,
    options: {
      roots,
      listPickles: true,
      ...(options.hub && { hub: options.hub }),
      ...(site.allowNoConfig === true && { allowNoConfig: true }),
      ...(options.onDownload && { onProgress: options.onDownload }),
    },
    preTokenizer: options.preTokenizer,
    like: async (config: MergeConfig) =>
      options.ggufLike === undefined ? undefined : openLike(site, options.ggufLike, config, roots),
    onPlan: options.onPlan,
    settings: {
      seed,
      shardBytes,
      copyTokenizer,
      writeModelCard,
      name: options.name,
      allowMixedArchitectures,
      lenient,
    },
  }
  const planAll = async (models: StageModels, places: PrepareSite = site) => {
    const rounds = options.roundIntermediates ?? false
    const inner = { ...common, places, like: async () => undefined, preTokenizer: undefined }
    const planned = await planStages({ stages, models, rounds, common: inner })
    const lastName = last.config.name
    const settings = { ...common.settings, name: lastName, copyTokenizer: true }
    const own = lastName === undefined ? { name } : { name: lastName, settings }
    const output = await planRecipe({ ...common, places, ...own, recipe: used.at(-1)!, open: models.open })
    const read = [...planned.planned, ...(output.plan.stages ?? [])]
    const plan = withStages(output.plan, read, await common.methods())
    const { inputs, isPending } = output
    const ofLast =
      lastName === undefined ? [] : [{ name: lastName, isSum: false, plan, inputs, isPending, warnings: [] }]
    return { ...planned, output, plan, stages: [...planned.prepared, ...ofLast] }
  }
  const models = createStageModels(names)
  const first = await planAll(models)
  const { prepared, output, plan } = first
  let current: PreparedMerge['stages'] = first.stages
  const methods = await loadMethods()
  const checkpoints = withoutRepetition(
    [...prepared, output].flatMap(({ inputs: { checkpoints, files } }) => [
      ...checkpoints,
      ...(files?.checkpoints ?? []),
    ]),
  )
  return {
    config: output.config,
    inputs: output.inputs,
    methods,
    get stages() {
      return current
    },
    plan,
    warnings: [
      ...used.flatMap((recipe) => [...recipe.warnings, ...recipe.checkMethod(methods)]),
      ...(await listShadowed(site.store, names, roots)),
      ...noteUnusedRecipes(all, used),
      ...prepared.flatMap(({ warnings }) => warnings),
      ...output.warnings,
    ],
    tokens: output.vocabulary.decisions,
    awaited: listAwaited(checkpoints),
    async download(downloading = {}) {
      if (downloading.readAtHub !== undefined) return planAtHub(downloading.readAtHub)
      await site.downloadWeights?.(checkpoints, plan, downloading)
      // All of it is in the cache now, at the commit that was planned for.
      if (checkpoints.some(({ isProvisional }) => isProvisional))
        return takeOver(await prepareAt(site, { ...options, hub: { ...options.hub, refresh: false } }))
      if (!output.isPending && !prepared.some(({ isPending }) => isPending)) return plan
      return takeOver(await planAll(models.whenHere()))
    },
  }

  /** What decides on heads is compared, the rest of the weights stays where it is. */
  async function planAtHub(readAtHub: NonNullable<DownloadOptions['readAtHub']>): Promise<MergePlan> {
    const provisional = checkpoints.find(({ isProvisional }) => isProvisional)
    if (provisional !== undefined)
      throw new MergeError({ code: 'stream-pickles', model: formatModelReference(provisional.reference) })
    if (!output.isPending && !prepared.some(({ isPending }) => isPending)) return plan
    const heads = [...prepared, output].flatMap(({ inputs }) => headSources(inputs))
    const { openFiles, drop } = await readAtHub(heads)
    try {
      return takeOver(await planAll(models.whenHere(), { ...site, store: { ...site.store, openFiles } }))
    } finally {
      await drop()
    }
  }

  function takeOver({ stages, plan }: Pick<PreparedMerge, 'stages' | 'plan'>): MergePlan {
    current = stages
    return plan
  }
}

/** Models that several merges name come once. */
const withoutRepetition = (checkpoints: readonly Checkpoint[]): readonly Checkpoint[] =>
  checkpoints.filter(
    ({ download }, index) =>
      download === undefined || checkpoints.findIndex((other) => other.download === download) === index,
  )

function noteUnusedRecipes(all: readonly ReadRecipe[], used: readonly ReadRecipe[]): readonly string[] {
  const isUsed = new Set(used.map(({ config }) => config.name))
  return all.flatMap(({ config: { name }, locate }) =>
    name === undefined || isUsed.has(name)
      ? []
      : [`${locate(['name'])}: nothing of the output is made of '${name}'; it is not merged`],
  )
}

/** Those given, those that recipes name as modules, and what sums of models are computed by. */
async function withMethodModules(
  modules: readonly Pick<MethodChoice, 'method'>[],
  folder: string,
  { methods = builtinMethods, loadMethod }: PrepareSettings,
): Promise<ReadonlyMap<string, MethodDefinition>> {
  const found = new Map([...methods, [sumOfModels.name, sumOfModels]])
  for (const { method } of modules) if (!found.has(method)) found.set(method, await loadMethod!(method, folder))
  return found
}

const isModule = (method: string, methods: ReadonlyMap<string, MethodDefinition>) =>
  !methods.has(method) && /\.[cm]?[jt]s$/.test(method)

/** A config of a stranger's must not run code, so that looking at it is safe. */
function checkCodeAllowed(
  module: string,
  path: string | undefined,
  where: string,
  { allowCode = false }: PrepareSettings,
): void {
  if (allowCode === true || (allowCode !== false && path !== undefined && allowCode.includes(path))) return
  throw new MergeError({ code: 'code-not-allowed', module, where })
}
