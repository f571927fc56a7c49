import type { Checkpoint, OpenOptions } from '@mk/checkpoint'
import { type ModelPlaces, openCheckpointFrom } from '@mk/checkpoint/portable'
import {
  type ConfigPath,
  formatModelReference,
  listReferences,
  type MergeConfig,
  type ModelReference,
  type NamedModel,
  sameModel,
} from '@mk/config'
import { issueErrorOf } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { describeInput, renameLike } from './describe-input.ts'
import type { MergeInputs, StageFacts } from './merge-inputs.ts'
import { unpackExperts } from './unpack-experts.ts'

/** Lists the distinct models that a config names, in the order of the YAML; a base that is in no list comes first. */
function listModels(config: MergeConfig): NamedModel[] {
  const named = listReferences(config)
  const isListed = ({ reference }: NamedModel) => named.slice(1).some((other) => sameModel(other.reference, reference))
  const all = config.baseModel !== undefined && isListed(named[0]!) ? named.slice(1) : named
  return all.filter(
    ({ reference }, index) => !all.slice(0, index).some((other) => sameModel(other.reference, reference)),
  )
}

/** Most merges have no GGUF among their models, and are spared loading what restores one. */
async function renamed(opened: readonly Checkpoint[]): Promise<readonly Checkpoint[]> {
  if (opened.every(({ gguf }) => gguf === undefined)) return opened
  const { restoreGgufs } = await import('./restore-ggufs.ts')
  return restoreGgufs(opened)
}

/** What a reference leads to, and which merge that is where it is one. */
interface OpenedModel {
  readonly checkpoint: Checkpoint
  readonly stage?: StageFacts | undefined
}

/** Opens what a reference leads to. @throws CheckpointError; SafetensorsError */
export type OpenModel = (places: ModelPlaces, reference: ModelReference, options: OpenOptions) => Promise<OpenedModel>

const openModel: OpenModel = async (...model) => ({ checkpoint: await openCheckpointFrom(...model) })

/**
 * Opens every model of a config: configs and headers are read, weights are not.
 * @param open where references may lead to something else than models on disks or at the hub
 * @throws CheckpointError, ArchitectureError; MergeError 'recipe-faults', 'models-unreachable' where several models can't be opened
 */
export async function openInputs(
  places: ModelPlaces,
  config: MergeConfig,
  options: OpenOptions,
  locate: (path: ConfigPath) => string,
  open = openModel,
): Promise<MergeInputs> {
  const models = listModels(config)
  const references = models.map(({ reference }) => reference)
  const found = await openAll(models.length, options, (index, own) =>
    open(places, references[index]!, { ...own, where: locate(models[index]!.path) }),
  )
  const opened = found.map(({ checkpoint }) => checkpoint)
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
  const stages = found.map(({ stage }) => stage)
  return {
    store: places.store,
    labels: references.map(formatModelReference),
    checkpoints,
    layouts,
    ...(stages.some((stage) => stage !== undefined) && { stages }),
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

/**
 * What has to be mended comes before what may pass, and all of it at once. A model that is not here may be a folder that is misspelled,
 * though the hub can't be asked for it.
 */
function asOne(failures: readonly unknown[]): unknown {
  const known = failures.map((error) => issueErrorOf(error)).filter((error) => error !== undefined)
  const usages = known.filter(({ fault }) => fault === 'usage')
  const told = [...usages, ...known.filter(({ code }) => code === 'model-unreachable')]
  if (told.length === 0) return known[0] ?? failures[0]
  if (told.length === 1) return told[0]
  const faults = told.map(({ code, message }) => ({ code, text: message })).toSorted((a, b) => order(a.text, b.text))
  return new MergeError({ code: usages.length > 0 ? 'recipe-faults' : 'models-unreachable', faults })
}

/** In the order of the places that the texts begin with. */
const order = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })
