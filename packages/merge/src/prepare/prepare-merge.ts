import { embeddingNames } from '@mk/architecture'
import type { Checkpoint, DownloadProgress, HubOptions } from '@mk/checkpoint'
import type { ModelPlaces } from '@mk/checkpoint/portable'
import type { MergeConfig, MethodChoice } from '@mk/config'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { listMethodChoices } from '@mk/params'
import { abortableFiles, folderOfPath, nameOfPath, untilAborted } from '@mk/source'
import { MergeError } from '../errors.ts'
import { compareGgufTokens } from '../open/compare-gguf-tokens.ts'
import { compareStoredHeads, type StoredHeads } from '../open/compare-stored-heads.ts'
import { findTwins } from '../open/find-twins.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { noteMissingTokenizer } from '../open/note-missing-tokenizer.ts'
import { openInputs } from '../open/open-inputs.ts'
import { type OutputVocabulary, unchangedVocabulary } from '../open/output-vocabulary.ts'
import type { Tokenizers } from '../open/read-tokenizers.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { PlanSettings } from '../plan/plan-context.ts'
import { planMerge } from '../plan/plan-merge.ts'
import { program } from '../program.ts'
import type { Recipe } from '../recipe.ts'
import { type AwaitedModel, type DownloadOptions, listAwaited } from './awaited.ts'
import { openLike, outputFormats } from './output-formats.ts'
import { type OutputSettings, withFormat, withOutput } from './output-kind.ts'
import { readRecipe } from './read-recipe.ts'
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
  /** Called before a plan is made, during which no event is handled: of large models that takes seconds. */
  readonly onPlan?: () => void | Promise<void>
}

export interface PreparedMerge {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** Those given, and the one that the config names as a module. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
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
}

/** Where a merge is prepared. */
export interface PrepareSite extends ModelPlaces {
  /** The folder that relative paths start from. */
  readonly current: string
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
 * Reads a config, opens its models as far as their headers, and plans the merge, wherever the files are. No weights are read or
 * fetched.
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
  const { file, seed = 0, shardBytes = 5e9, copyTokenizer = true, writeModelCard = true } = options
  const { allowMixedArchitectures = false, lenient = false, methods: known = builtinMethods } = options
  const isOwn = (name: string) => options.loadMethod !== undefined && isModule(name, known)
  const given: string | object = options.recipe ?? options.text!
  refuseToken(given, file)
  const recipe = readRecipe(given, { file, lenient, methods: known, isModule: isOwn })
  const { locate, text } = recipe
  const asked = withOutput(recipe.config, options)
  const folder = file === undefined ? site.current : folderOfPath(site.store.resolve(site.current, file))
  const modules = listMethodChoices(asked).filter(({ method }) => isOwn(method))
  for (const { method, path } of modules)
    checkCodeAllowed(method, site.pathOfModule?.(method, folder), locate(path), options)
  const roots = options.roots ?? [...new Set([site.current, folder])]
  const inputs = await openInputs(
    site,
    asked,
    {
      roots,
      listPickles: true,
      ...(options.hub && { hub: options.hub }),
      ...(options.onDownload && { onProgress: options.onDownload }),
    },
    locate,
  )
  const isGguf = inputs.checkpoints.every(({ gguf, config }) => gguf !== undefined && config === undefined)
  const config = withFormat(asked, isGguf ? 'gguf' : 'safetensors')
  const like = options.ggufLike === undefined ? undefined : await openLike(site, options.ggufLike, config, roots)
  const methods = await withMethodModules(modules, folder, options)
  const warnings = [...recipe.warnings, ...recipe.checkMethod(methods), ...(await findTwins(config, inputs))]
  let opened: Promise<Tokenizers> | undefined
  const tokenizers = () =>
    (opened ??= import('../open/read-tokenizers.ts').then(({ openTokenizers }) => openTokenizers(inputs)))
  const chosen = await vocabularyOf(config, { inputs, tokenizers }, copyTokenizer)
  const settings = {
    seed,
    shardBytes,
    copyTokenizer,
    writeModelCard,
    name: options.name,
    allowMixedArchitectures,
    lenient,
  }
  const heads = compareStoredHeads(inputs, config)
  const planWith = async (heads: StoredHeads, vocabulary: OutputVocabulary) => {
    await options.onPlan?.()
    return planMerge(config, inputs, { ...settings, text, program, methods, vocabulary, heads })
  }
  const firstPlan = await planWith(heads, chosen)
  const vocabulary = await withCutTokens(firstPlan, chosen, { inputs, tokenizers }, settings)
  const name = options.name ?? (file === undefined ? 'merged' : nameOfPath(file).replace(/(?<=.)\.[^.]*$/, ''))
  const written = (plan: MergePlan) =>
    outputFormats[config.outFormat](plan, {
      config,
      inputs,
      like,
      name,
      copyTokenizer,
      preTokenizer: options.preTokenizer,
    })
  const plan = await written(vocabulary === chosen ? firstPlan : await planWith(heads, vocabulary))
  return {
    config,
    inputs,
    methods,
    plan,
    warnings: [...warnings, ...plan.warnings, ...vocabulary.warnings],
    tokens: vocabulary.decisions,
    awaited: listAwaited(inputs.checkpoints),
    async download(downloading = {}) {
      await site.downloadWeights?.(inputs.checkpoints, plan, downloading)
      if (inputs.checkpoints.some(({ isProvisional }) => isProvisional)) {
        // All of it is in the cache now, at the commit that was planned for.
        return (await prepareAt(site, { ...options, hub: { ...options.hub, refresh: false } })).plan
      }
      if (heads.unknown.size === 0 && heads.isPending !== true) return plan
      const here = inputs.checkpoints.map((checkpoint) => ({ ...checkpoint, downloadBytes: 0 }))
      return written(await planWith(compareStoredHeads({ ...inputs, checkpoints: here }, config), vocabulary))
    },
  }
}

interface Inputs {
  readonly inputs: MergeInputs
  /** Most recipes leave the vocabulary alone and are spared loading what reads one. */
  readonly tokenizers: () => Promise<Tokenizers>
}

async function vocabularyOf(
  config: MergeConfig,
  { inputs, tokenizers }: Inputs,
  copyTokenizer: boolean,
): Promise<OutputVocabulary> {
  const notes = config.tokenizer === undefined && copyTokenizer ? noteMissingTokenizer(config, inputs) : []
  if (config.tokenizer === undefined && config.chatTemplate === undefined)
    return { ...unchangedVocabulary, notes, warnings: compareGgufTokens(inputs) }
  const { readVocabulary } = await import('../open/read-vocabulary.ts')
  const vocabulary = await readVocabulary(config, { inputs, tokenizers: await tokenizers() }, copyTokenizer)
  return { ...vocabulary, notes: [...notes, ...vocabulary.notes] }
}

/** Looks into the donor's tokenizer where its embedding is cut, which headers alone tell. */
async function withCutTokens(
  { tensors }: MergePlan,
  vocabulary: OutputVocabulary,
  { inputs, tokenizers }: Inputs,
  { copyTokenizer, allowMixedArchitectures }: PlanSettings,
): Promise<OutputVocabulary> {
  const [name] = embeddingNames(inputs.layouts[inputs.donor]!)
  const rowCount = tensors.find((tensor) => tensor.name === name)?.shape[0]
  const ownRows = inputs.checkpoints[inputs.donor]!.tensors.get(name ?? '')?.shape[0]
  const isCut = rowCount !== undefined && ownRows !== undefined && rowCount < ownRows
  if (!isCut || !copyTokenizer || vocabulary.rows !== undefined) return vocabulary
  const { nameCutTokens } = await import('../open/check-rows.ts')
  return nameCutTokens(vocabulary, { inputs, tokenizers: await tokenizers() }, rowCount, allowMixedArchitectures)
}

async function withMethodModules(
  modules: readonly MethodChoice[],
  folder: string,
  { methods = builtinMethods, loadMethod }: PrepareSettings,
): Promise<ReadonlyMap<string, MethodDefinition>> {
  const found = new Map(methods)
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
