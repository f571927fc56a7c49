import { dirname, parse, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Checkpoint, DownloadProgress, HubOptions } from '@mk/checkpoint'
import type { MergeConfig } from '@mk/config'
import { type MethodDefinition, sumOfModels } from '@mk/methods'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { OutputVocabulary } from '../open/output-vocabulary.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { PlanSettings } from '../plan/plan-context.ts'
import { readProgram } from '../program.ts'
import { listStages, usedRecipes } from '../stages/list-merges.ts'
import { createStageModels, listShadowed, type StageModels } from '../stages/open-stages.ts'
import { planStages, type PreparedStage } from '../stages/plan-stages.ts'
import { withStages } from '../stages/prune-stages.ts'
import { type AwaitedModel, type DownloadOptions, downloadWeights, listAwaited } from './download-weights.ts'
import { openLike } from './output-formats.ts'
import { type OutputSettings, withOutput } from './output-kind.ts'
import { planRecipe } from './plan-recipe.ts'
import { type ReadRecipe, readRecipeFile } from './read-recipe.ts'
import { refuseToken } from './refuse-token.ts'

/** Settings that are left out: seed 0, files of at most 5 · 10⁹ bytes, tokenizer and model card written, one architecture. */
export interface PrepareOptions extends Partial<PlanSettings>, OutputSettings {
  /** The YAML, and the file it stands in, for errors and for models beside it. */
  readonly text: string
  readonly file?: string
  readonly methods: ReadonlyMap<string, MethodDefinition>
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
  /** Of hub files that are needed before anything can be planned. */
  readonly onDownload?: (progress: DownloadProgress) => void
  /** Round what one merge gives another to the dtype that it would be written in, as if it had been written and read again. */
  readonly roundIntermediates?: boolean
  /** Plan the merges of the file that the output is not made of, too. */
  readonly withUnused?: boolean
  /** Called before a plan is made, during which no event is handled: of large models that takes seconds. */
  readonly onPlan?: () => void | Promise<void>
}

export interface PreparedMerge {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** Those given, those that recipes name as modules, and what sums of models are computed by. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** The merges that others are made of, each after those that it is made of. */
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
}

/**
 * Reads a recipe, opens its models as far as their headers, and plans the merge. No weights are read or fetched. Of several recipes
 * in the text the one without a name is the output, and the others are merges that models may be.
 * @throws ConfigError, CheckpointError, ArchitectureError, TokenizerError, MethodError, MergeError
 */
export async function prepareMerge(options: PrepareOptions): Promise<PreparedMerge> {
  const { text, file, seed = 0, shardBytes = 5e9, copyTokenizer = true, writeModelCard = true } = options
  const { allowMixedArchitectures = false, lenient = false } = options
  const isOwn = (name: string) => options.loadMethod !== undefined && isModule(name, options.methods)
  refuseToken(text, file)
  const all = readRecipeFile(text, { file, lenient, methods: options.methods, isModule: isOwn })
  const names = all.flatMap(({ config: { name } }) => name ?? [])
  const asked = withOutput(all.at(-1)!.config, options)
  const whole = [...all.slice(0, -1), { ...all.at(-1)!, config: asked }]
  const used = options.withUnused === true ? whole : usedRecipes(whole)
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  for (const { config, locate } of used) checkCodeAllowed(config, folder, locate(['merge_method']), options)
  const roots = [...new Set([process.cwd(), folder])]
  const methods = await withMethodModules(
    used.map(({ config }) => config.mergeMethod),
    folder,
    options,
  )
  const stages = listStages(used)
  const name = options.name ?? (file === undefined ? 'merged' : parse(file).name)
  const common = {
    text,
    program: await readProgram(),
    options: {
      roots,
      ...(options.hub && { hub: options.hub }),
      ...(options.onDownload && { onProgress: options.onDownload }),
    },
    preTokenizer: options.preTokenizer,
    like: async (config: MergeConfig) =>
      options.ggufLike === undefined ? undefined : openLike(options.ggufLike, config, roots),
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
  const planAll = async (models: StageModels) => {
    const rounds = options.roundIntermediates ?? false
    const inner = { ...common, like: async () => undefined, preTokenizer: undefined }
    const planned = await planStages({ stages, models, methods, rounds, common: inner })
    const output = await planRecipe({ ...common, recipe: used.at(-1)!, methods, open: models.open, name })
    return { ...planned, output, plan: withStages(output.plan, planned.planned) }
  }
  const models = createStageModels(names)
  const { prepared, output, plan } = await planAll(models)
  const checkpoints = withoutRepetition([...prepared, output].flatMap(({ inputs }) => inputs.checkpoints))
  return {
    config: output.config,
    inputs: output.inputs,
    methods,
    stages: prepared,
    plan,
    warnings: [
      ...used.flatMap((recipe) => [...recipe.warnings, ...recipe.checkMethod(methods)]),
      ...listShadowed(names, roots),
      ...noteUnusedRecipes(all, used),
      ...prepared.flatMap(({ warnings }) => warnings),
      ...output.warnings,
    ],
    tokens: output.vocabulary.decisions,
    awaited: listAwaited(checkpoints),
    async download(options = {}) {
      await downloadWeights(checkpoints, plan, options)
      if (!output.isPending && !prepared.some(({ isPending }) => isPending)) return plan
      return (await planAll(models.whenHere())).plan
    },
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
  names: readonly string[],
  folder: string,
  { methods, loadMethod }: PrepareOptions,
): Promise<ReadonlyMap<string, MethodDefinition>> {
  const known = new Map([...methods, [sumOfModels.name, sumOfModels]])
  for (const name of names)
    if (loadMethod !== undefined && isModule(name, methods) && !known.has(name))
      known.set(name, await loadMethod(name, folder))
  return known
}

const isModule = (mergeMethod: string, methods: PrepareOptions['methods']) =>
  !methods.has(mergeMethod) && /\.[cm]?[jt]s$/.test(mergeMethod)

/** A config of a stranger's must not run code, so that looking at it is safe. */
function checkCodeAllowed({ mergeMethod }: MergeConfig, folder: string, where: string, options: PrepareOptions): void {
  const { allowCode = false, methods, loadMethod } = options
  if (loadMethod === undefined || !isModule(mergeMethod, methods) || allowCode === true) return
  const path = mergeMethod.startsWith('file:') ? fileURLToPath(mergeMethod) : resolve(folder, mergeMethod)
  if (allowCode !== false && allowCode.includes(path)) return
  throw new MergeError({ code: 'code-not-allowed', module: mergeMethod, where })
}
