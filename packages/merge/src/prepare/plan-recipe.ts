import { embeddingNames } from '@mk/architecture'
import type { OpenOptions } from '@mk/checkpoint'
import type { ModelPlaces } from '@mk/checkpoint/portable'
import type { MergeConfig, OutFormat } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import { withBase } from '../adapter/with-base.ts'
import { compareGgufTokens } from '../open/compare-gguf-tokens.ts'
import { compareStoredHeads } from '../open/compare-stored-heads.ts'
import { findTwins } from '../open/find-twins.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import { noteMissingTokenizer } from '../open/note-missing-tokenizer.ts'
import { openParameterFiles } from '../open/open-parameter-files.ts'
import { type OpenModel, openInputs } from '../open/open-inputs.ts'
import { type OutputVocabulary, unchangedVocabulary } from '../open/output-vocabulary.ts'
import type { Tokenizers } from '../open/read-tokenizers.ts'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { PlanSettings } from '../plan/plan-context.ts'
import { planMerge } from '../plan/plan-merge.ts'
import { program } from '../program.ts'
import type { LikeCheckpoint } from './learn-from-donor.ts'
import { outputFormats } from './output-formats.ts'
import { withFormat } from './output-kind.ts'
import type { ReadRecipe } from './read-recipe.ts'

/** All that a plan of one recipe goes by. */
export interface RecipeToPlan {
  readonly places: ModelPlaces
  readonly recipe: Pick<ReadRecipe, 'config' | 'locate'>
  /** The YAML as the user wrote it. */
  readonly text: string
  readonly settings: PlanSettings
  /** Called when the models are found. */
  readonly methods: () => Promise<ReadonlyMap<string, MethodDefinition>>
  readonly options: OpenOptions
  readonly open: OpenModel
  /** For people. */
  readonly name: string
  readonly preTokenizer: string | undefined
  /** A GGUF that the output is to be like. */
  readonly like: (config: MergeConfig) => Promise<LikeCheckpoint | undefined>
  readonly onPlan?: (() => void | Promise<void>) | undefined
}

/** The plan of one recipe, and what it was made of. */
export interface PlannedRecipe {
  readonly config: MergeConfig & { readonly outFormat: OutFormat }
  readonly inputs: MergeInputs
  readonly vocabulary: OutputVocabulary
  readonly plan: MergePlan
  readonly warnings: readonly string[]
  /** Whether the plan may be another one when weights have been downloaded. */
  readonly isPending: boolean
}

/**
 * Opens the models of a recipe as far as their headers, and plans the merge.
 * @throws CheckpointError, ArchitectureError, TokenizerError, MethodError, MergeError
 */
export async function planRecipe(request: RecipeToPlan): Promise<PlannedRecipe> {
  const { places, recipe, text, settings, options, open, onPlan } = request
  const asked = withBase(recipe.config)
  const models = await openInputs(places, asked, options, recipe.locate, open)
  const isGguf = models.checkpoints.every(({ gguf, config }) => gguf !== undefined && config === undefined)
  const config = withFormat(asked, isGguf ? 'gguf' : 'safetensors')
  checkAdapterSettings(config, recipe.locate)
  const like = await request.like(config)
  const methods = await request.methods()
  const inputs = await openParameterFiles(places, config, { inputs: models, methods, options })
  const twins = await findTwins(config, inputs)
  let opened: Promise<Tokenizers> | undefined
  const tokenizers = () =>
    (opened ??= import('../open/read-tokenizers.ts').then(({ openTokenizers }) => openTokenizers(inputs)))
  const chosen = await vocabularyOf(config, { inputs, tokenizers }, settings.copyTokenizer)
  const heads = compareStoredHeads(inputs, config)
  const planWith = async (vocabulary: OutputVocabulary) => {
    await onPlan?.()
    return planMerge(config, inputs, { ...settings, text, program, methods, vocabulary, heads })
  }
  const firstPlan = await planWith(chosen)
  const vocabulary = await withCutTokens(firstPlan, chosen, { inputs, tokenizers }, settings)
  const plan = await outputFormats[config.outFormat](vocabulary === chosen ? firstPlan : await planWith(vocabulary), {
    config,
    inputs,
    methods,
    like,
    name: request.name,
    copyTokenizer: settings.copyTokenizer,
    preTokenizer: request.preTokenizer,
  })
  return {
    config,
    inputs,
    vocabulary,
    plan,
    warnings: [...twins, ...plan.warnings, ...vocabulary.warnings],
    isPending:
      heads.unknown.size > 0 ||
      heads.isPending === true ||
      // What is as in the base shows when it is here.
      (config.outFormat === 'lora' && inputs.checkpoints.some(({ downloadBytes = 0 }) => downloadBytes > 0)),
  }
}

/** @throws MergeError 'adapter-setting' where something is said of an adapter, and none is written */
function checkAdapterSettings(
  { outFormat, rank, adapterSpace }: MergeConfig,
  locate: RecipeToPlan['recipe']['locate'],
): void {
  if (outFormat === 'lora') return
  const setting = rank !== undefined ? 'rank' : adapterSpace !== undefined ? 'adapter_space' : undefined
  if (setting !== undefined) throw new MergeError({ code: 'adapter-setting', setting, where: locate([setting]) })
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
