import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelReference } from '@mk/config'
import type { Checkpoint, DownloadProgress } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import type { HubOptions } from '../hub/hub-settings.ts'
import type { HubModel } from '../hub/resolve-hub-model.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import { listFiles } from '../files/list-files.ts'
import { noDocuments, readDocuments } from '../files/read-documents.ts'
import { reading } from '../files/read-file.ts'
import { dequantize } from '../quantization/dequantize.ts'
import { locatePath, looksLocal } from './locate-path.ts'
import { findNearestPath } from './nearest-path.ts'
import { openFolder } from './open-folder.ts'

export interface OpenOptions {
  /** Folders that relative paths are looked for in, in order: the current one, then that of the config. */
  readonly roots: readonly string[]
  readonly hub?: HubOptions
  /** Of hub files that are needed before anything can be planned. */
  readonly onProgress?: (progress: DownloadProgress) => void
  /** 'file:line:column' of what names the model, for errors. */
  readonly where?: string
  /** Take a folder without config.json as a set of tensors. */
  readonly allowNoConfig?: boolean
}

/**
 * Opens what a reference names: a model's folder, a file of tensors, or a model of the hub, with its adapters. Reads configs
 * and headers and checks them; of the weights nothing is read.
 * @throws CheckpointError; SafetensorsError for a broken safetensors file or index
 */
export async function openCheckpoint(reference: ModelReference, options: OpenOptions): Promise<Checkpoint> {
  const place = await findPlace(reference.path, reference.revision, 'model', options)
  const opened = await openPlace(reference, place, options)
  return reference.adapters.length === 0 ? opened : applyAdapters(opened, options)
}

/** A folder or file of this machine, which may be the cache's copy of a hub model. */
interface Place {
  readonly path: string
  readonly hub: HubModel | undefined
  readonly notes: readonly string[]
}

/** Issues of the hub that may as well mean that the path was meant as a folder, and what they then become. */
const notAtHub: Readonly<Record<string, 'model-not-found' | 'model-unreachable'>> = {
  'hub-id': 'model-not-found',
  'hub-offline': 'model-not-found',
  'hub-unauthorized': 'model-not-found',
  'hub-not-found': 'model-not-found',
  'hub-status': 'model-unreachable',
  'hub-unreachable': 'model-unreachable',
}

async function findPlace(
  path: string,
  revision: string | undefined,
  purpose: 'model' | 'adapter',
  { roots, hub, onProgress, where }: OpenOptions,
): Promise<Place> {
  const located = await locatePath(path, roots)
  if (located.kind === 'found') {
    return {
      path: located.path,
      hub: undefined,
      notes: revision === undefined ? [] : [`${path} is a local folder; its revision '${revision}' is ignored`],
    }
  }
  const { tried } = located
  const notFound = async () => {
    const near = await findNearestPath(path, roots)
    return { path, tried, ...(near !== undefined && { near }), ...(where !== undefined && { where }) }
  }
  if (looksLocal(path)) throw new CheckpointError({ code: 'folder-not-found', ...(await notFound()) })
  const { resolveHubModel } = await import('../hub/resolve-hub-model.ts')
  try {
    const model = await resolveHubModel(path, revision, { ...hub, purpose, ...(onProgress && { onProgress }) })
    return { path: model.folder, hub: model, notes: model.notes }
  } catch (cause) {
    const code = cause instanceof CheckpointError ? notAtHub[cause.code] : undefined
    if (code === undefined) throw cause
    throw new CheckpointError({ code, ...(await notFound()), reason: (cause as Error).message }, { cause })
  }
}

async function openPlace(
  reference: ModelReference,
  { path, hub, notes }: Place,
  { allowNoConfig }: OpenOptions,
): Promise<Checkpoint> {
  if (path.endsWith('.gguf')) throw new CheckpointError({ code: 'gguf', path })
  const isFolder = (await reading(path, () => stat(path))).isDirectory()
  const { documents, notes: ofDocuments } = isFolder ? await readDocuments(path) : noDocuments
  const config = documents.get('config.json')?.value
  if (config === undefined) {
    if (isFolder && allowNoConfig !== true) await refuseWithoutConfig(path)
    const { openRaw } = await import('../raw/open-raw.ts')
    const raw = await openRaw(reference, path)
    const { tensors, notes: more } = dequantize(path, raw.tensors, undefined)
    return { ...raw, tensors, notes: [...notes, ...raw.notes, ...more] }
  }
  const opened = await openFolder(path, hub?.headers ?? new Map(), config)
  const plain = dequantize(path, opened.tensors, config)
  const { files, notes: ofFiles } = await listFiles(path, config)
  const code = files.filter(({ role }) => role === 'code').map(({ name }) => name)
  const noteOfCode =
    code.length === 0
      ? []
      : [
          `${path}: its own code (${code.join(', ')}) is copied, not run; the output needs trust_remote_code as the model did`,
        ]
  return {
    reference,
    folder: path,
    hub: hub && { id: hub.id, commit: hub.commit },
    config: plain.config,
    documents,
    files,
    tensors: plain.tensors,
    notes: [...notes, ...ofDocuments, ...opened.notes, ...plain.notes, ...ofFiles, ...noteOfCode],
    ...(hub && downloadsOf([hub])),
  }
}

async function refuseWithoutConfig(folder: string): Promise<never> {
  const names = (await reading(folder, () => readdir(folder))).sort()
  const isAdapter = names.includes('adapter_config.json')
  if (isAdapter || names.some((name) => /\.(safetensors|bin|pt|pth|ckpt)$/.test(name)))
    throw new CheckpointError({ code: 'config-missing', folder, isAdapter })
  const gguf = names.find((name) => name.endsWith('.gguf'))
  throw new CheckpointError(
    gguf === undefined ? { code: 'no-weights', folder, found: names } : { code: 'gguf', path: join(folder, gguf) },
  )
}

async function applyAdapters(opened: Checkpoint, options: OpenOptions): Promise<Checkpoint> {
  const { openAdapter } = await import('../adapter/open-adapter.ts')
  const { applyAdapter } = await import('../adapter/apply-adapter.ts')
  let { tensors } = opened
  const notes = [...opened.notes]
  const downloads: Downloadable[] = []
  for (const { path, revision } of opened.reference.adapters) {
    const place = await findPlace(path, revision, 'adapter', options)
    const adapter = await openAdapter(place.path, { name: path, ...(place.hub && { headers: place.hub.headers }) })
    const applied = applyAdapter(tensors, adapter, opened.config)
    tensors = applied.tensors
    notes.push(...place.notes, ...applied.notes)
    if (place.hub !== undefined) downloads.push(place.hub)
  }
  return {
    ...opened,
    tensors,
    notes,
    ...downloadsOf([...(opened.downloadBytes ? [opened as Downloadable] : []), ...downloads]),
  }
}

type Downloadable = Required<Pick<Checkpoint, 'downloadBytes' | 'download'>>

/** Several downloads as one. */
function downloadsOf(parts: readonly Downloadable[]): Partial<Downloadable> {
  const totalBytes = parts.reduce((sum, { downloadBytes }) => sum + downloadBytes, 0)
  if (totalBytes === 0) return {}
  return {
    downloadBytes: totalBytes,
    async download(onProgress, signal) {
      const states = new Map<Downloadable, DownloadProgress>()
      const sum = (of: (progress: DownloadProgress) => number) =>
        [...states.values()].reduce((total, each) => total + of(each), 0)
      const report = (part: Downloadable, progress: DownloadProgress) => {
        states.set(part, progress)
        const doneBytes = sum((each) => each.doneBytes)
        onProgress?.({ ...progress, doneBytes, totalBytes, earlierBytes: sum((each) => each.earlierBytes) })
      }
      await forEachParallel(
        parts,
        parts.length,
        (part, own) => part.download((progress) => report(part, progress), own),
        signal,
      )
    },
  }
}
