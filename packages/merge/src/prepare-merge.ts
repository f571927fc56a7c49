import { dirname, resolve } from 'node:path'
import type { DownloadProgress, HubOptions } from '@mk/checkpoint'
import { type ConfigPath, formatPlace, type MergeConfig, parseConfig } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'
import { openInputs } from './open-inputs.ts'
import { checkOutputPlace } from './output/check-output.ts'
import { checkSpace, spaceForOutput } from './output/check-space.ts'
import type { MergeInputs } from './plan/merge-inputs.ts'
import type { MergePlan } from './plan/merge-plan.ts'
import type { StoredHeads } from './plan/plan-embeddings.ts'
import { planMerge } from './plan/plan-merge.ts'
import { compareStoredHeads } from './stored-heads.ts'
import { type TokenDecisions, unchangedVocabulary } from './vocabulary-outcome.ts'

export interface PrepareOptions {
  /** The YAML, and the file it stands in, for errors and for models beside it. */
  readonly text: string
  readonly file?: string
  readonly methods: ReadonlyMap<string, MethodDefinition>
  /** Loads a method that the config names as a module (`./my-method.mjs`, relative to `folder`). */
  readonly loadMethod?: (module: string, folder: string) => Promise<MethodDefinition>
  /** Keys the random masks; the default is 0. */
  readonly seed?: number
  /** Largest size of an output file in bytes; the default is 5 · 10⁹. */
  readonly shardBytes?: number
  /** Copy or build the tokenizer's files; the default is yes. */
  readonly copyTokenizer?: boolean
  readonly writeModelCard?: boolean
  /** Merge models of different architectures as far as their tensors fit. */
  readonly allowMixedArchitectures?: boolean
  readonly hub?: HubOptions
  /** Of hub files that are needed before anything can be planned. */
  readonly onDownload?: (progress: DownloadProgress) => void
}

export interface PreparedMerge {
  readonly config: MergeConfig
  readonly inputs: MergeInputs
  /** Those given, and the one that the config names as a module. */
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly plan: MergePlan
  /** About the config: what was understood but may not be meant. */
  readonly warnings: readonly string[]
  /** What was decided for tokens that needed a decision; empty without a tokenizer setting. */
  readonly tokens: TokenDecisions
  /**
   * Brings the weights of hub models that are not in the cache yet, if there is room for them and for the output in `out`.
   * @returns the plan to run: another one than `plan` where a head that came differs from the embedding it was taken for
   * @throws CheckpointError; MergeError 'disk-space', 'output-is-input'
   */
  download(options?: {
    readonly out?: string
    readonly onProgress?: (progress: DownloadProgress) => void
  }): Promise<MergePlan>
}

const defaultShardBytes = 5e9

/**
 * Reads a config, opens its models as far as their headers, and plans the merge. No weights are read or fetched.
 * @throws ConfigError, CheckpointError, TokenizerError, MergeError
 */
export async function prepareMerge(options: PrepareOptions): Promise<PreparedMerge> {
  const { text, file } = options
  const { config, warnings, locate } = parseConfig(text, file === undefined ? {} : { file })
  const place = (path: ConfigPath) => formatPlace(file, locate(path))
  const folder = file === undefined ? process.cwd() : dirname(resolve(file))
  const methods = await withMethodModule(config, folder, options)
  const roots = [...new Set([process.cwd(), folder])]
  const inputs = await openInputs(
    config,
    { roots, ...(options.hub && { hub: options.hub }), ...(options.onDownload && { onProgress: options.onDownload }) },
    place,
  )
  // Most recipes leave the vocabulary alone and are spared loading what plans one.
  const isUnchanged = config.tokenizer === undefined && config.chatTemplate === undefined
  const vocabulary = isUnchanged
    ? unchangedVocabulary
    : await (await import('./plan-vocabulary.ts')).planVocabularyOf(config, inputs, options.copyTokenizer ?? true)
  const planOptions = {
    methods,
    seed: options.seed ?? 0,
    shardBytes: options.shardBytes ?? defaultShardBytes,
    allowMixedArchitectures: options.allowMixedArchitectures ?? false,
    rows: vocabulary.rows,
    documents: {
      configText: text,
      copyTokenizer: options.copyTokenizer ?? true,
      writeModelCard: options.writeModelCard ?? true,
      tokenizerFiles: vocabulary.files,
      tokenizerCopies: vocabulary.copies,
      omitted: vocabulary.omitted,
      tokenIds: vocabulary.tokenIds,
    },
  }
  const planWith = (heads: StoredHeads): MergePlan => {
    const plan = planMerge(config, inputs, { ...planOptions, heads })
    return { ...plan, notes: [...vocabulary.warnings, ...plan.notes] }
  }
  const heads = compareStoredHeads(inputs)
  const plan = planWith(heads)
  return {
    config,
    inputs,
    methods,
    plan,
    warnings,
    tokens: vocabulary.decisions,
    async download({ out, onProgress } = {}) {
      const awaited = inputs.checkpoints.filter(({ downloadBytes = 0 }) => downloadBytes > 0)
      if (awaited.length === 0) return plan
      if (out !== undefined) checkOutputPlace(plan, out)
      await checkSpace([
        ...awaited.map(({ folder, downloadBytes }) => ({ folder: folder!, bytes: downloadBytes! })),
        ...(out === undefined ? [] : [spaceForOutput(plan, out)]),
      ])
      for (const checkpoint of awaited) await checkpoint.download!(onProgress)
      if (heads.unknown.size === 0) return plan
      const here = inputs.checkpoints.map((checkpoint) => ({ ...checkpoint, downloadBytes: 0 }))
      return planWith(compareStoredHeads({ ...inputs, checkpoints: here }))
    },
  }
}

async function withMethodModule(
  { mergeMethod }: MergeConfig,
  folder: string,
  { methods, loadMethod }: PrepareOptions,
): Promise<ReadonlyMap<string, MethodDefinition>> {
  if (loadMethod === undefined || methods.has(mergeMethod) || !/\.[cm]?[jt]s$/.test(mergeMethod)) return methods
  return new Map([...methods, [mergeMethod, await loadMethod(mergeMethod, folder)]])
}
