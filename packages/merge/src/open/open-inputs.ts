import type { Checkpoint, OpenOptions } from '@mk/checkpoint'
import { type ModelPlaces, openCheckpointFrom } from '@mk/checkpoint/portable'
import { type ConfigPath, formatModelReference, type MergeConfig, type ModelReference, sameModel } from '@mk/config'
import { issueErrorOf } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { describeInput, renameLike } from './describe-input.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { unpackExperts } from './unpack-experts.ts'

/** A model, and where the config names it first. */
interface NamedModel {
  readonly reference: ModelReference
  readonly path: ConfigPath
}

/** Lists the distinct models that a config names, in the order of the YAML; a base that is in no list comes first. */
function listModels({ modules, baseModel, tokenizer }: MergeConfig): NamedModel[] {
  const listed = modules.flatMap(({ slices }) =>
    slices.flatMap((slice) => [
      ...slice.sources.map(({ model, path }) => ({ reference: model, path: [...path, 'model'] })),
      ...(slice.baseModel ? [{ reference: slice.baseModel, path: [...slice.path, 'base_model'] }] : []),
    ]),
  )
  const isListed = (model: ModelReference) => listed.some(({ reference }) => sameModel(reference, model))
  const base = baseModel === undefined || isListed(baseModel) ? [] : [{ reference: baseModel, path: ['base_model'] }]
  const ofTokenizer =
    tokenizer?.source.kind === 'model' ? [{ reference: tokenizer.source.model, path: ['tokenizer', 'source'] }] : []
  const ofTokens =
    tokenizer?.kind === 'complete-rows'
      ? tokenizer.tokens.flatMap(({ source, token }) =>
          source !== undefined && source.kind !== 'zero'
            ? [{ reference: source.model, path: ['tokenizer', 'tokens', token, 'source'] }]
            : [],
        )
      : []
  const distinct: NamedModel[] = []
  for (const named of [...base, ...listed, ...ofTokenizer, ...ofTokens])
    if (!distinct.some(({ reference }) => sameModel(reference, named.reference))) distinct.push(named)
  return distinct
}

/** Most merges have no GGUF among their models, and are spared loading what restores one. */
async function renamed(opened: readonly Checkpoint[]): Promise<readonly Checkpoint[]> {
  if (opened.every(({ gguf }) => gguf === undefined)) return opened
  const { restoreGgufs } = await import('./restore-ggufs.ts')
  return restoreGgufs(opened)
}

/**
 * Opens every model of a config: configs and headers are read, weights are not.
 * @throws CheckpointError, ArchitectureError; MergeError 'recipe-faults' where several models can't be opened
 */
export async function openInputs(
  places: ModelPlaces,
  config: MergeConfig,
  options: OpenOptions,
  locate: (path: ConfigPath) => string,
): Promise<MergeInputs> {
  const models = listModels(config)
  const references = models.map(({ reference }) => reference)
  const opened = await openAll(models.length, options, (index, own) =>
    openCheckpointFrom(places, references[index]!, { ...own, where: locate(models[index]!.path) }),
  )
  const described = unpackExperts(await renamed(opened)).map(describeInput)
  const indexOf = (reference: ModelReference) => references.findIndex((known) => sameModel(known, reference))
  const donorReference = config.baseModel ?? config.modules[0]?.slices[0]?.sources[0]?.model
  const named = donorReference === undefined ? 0 : indexOf(donorReference)
  // A GGUF among other models has no config.json and no tokenizer's files to give.
  const donor =
    opened[named]?.gguf === undefined
      ? named
      : Math.max(
          named,
          opened.findIndex(({ config }) => config !== undefined),
        )
  const aligned = described.map((entry, index) => (index === donor ? entry : renameLike(described[donor]!, entry)))
  const checkpoints = aligned.map(({ checkpoint }) => checkpoint)
  const layouts = aligned.map(({ layout }) => layout)
  return {
    store: places.store,
    labels: references.map(formatModelReference),
    checkpoints,
    layouts,
    donor,
    indexOf,
    locate,
  }
}

/** How long the others may take to show what is wrong with them, once one model can't be opened. */
const graceMs = 2000

/** Opens all models at the same time, so that each that can't be opened is told, and not the first alone. */
async function openAll<T>(
  count: number,
  options: OpenOptions,
  open: (index: number, options: OpenOptions) => Promise<T>,
): Promise<T[]> {
  const stop = new AbortController()
  const signal = AbortSignal.any([stop.signal, ...(options.hub?.signal ? [options.hub.signal] : [])])
  const own = { ...options, hub: { ...options.hub, signal } }
  const failures: unknown[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const opened = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      open(index, own).catch((error: unknown) => {
        failures.push(error)
        timer ??= setTimeout(() => stop.abort(), graceMs)
        return undefined
      }),
    ),
  )
  clearTimeout(timer)
  if (failures.length === 0) return opened as T[]
  options.hub?.signal?.throwIfAborted()
  throw asOne(failures)
}

/** What has to be mended comes before what may pass, and all of it at once. */
function asOne(failures: readonly unknown[]): unknown {
  const usages = failures.map((error) => issueErrorOf(error)).filter((error) => error?.fault === 'usage')
  const unforeseen = failures.find((error) => issueErrorOf(error) === undefined)
  if (usages.length === 0) return failures.find((error) => issueErrorOf(error) !== undefined) ?? unforeseen
  if (usages.length === 1) return usages[0]
  const faults = usages.map((error) => ({ code: error!.code, text: error!.message }))
  return new MergeError({ code: 'recipe-faults', faults: faults.toSorted((a, b) => order(a.text, b.text)) })
}

/** In the order of the places that the texts begin with. */
const order = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })
