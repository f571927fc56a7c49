import { formatModelReference, type ModelReference } from '@mk/config'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { abortableFiles, type FileStore, joinPath, nameOfPath, sourceFiles, untilAborted } from '@mk/source'
import type { AdapterOrigin, Checkpoint, DownloadProgress } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import type { HubOptions } from '../hub/hub-settings.ts'
import type { HubModel, ResolveHubModel } from '../hub/hub-model.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import { listFiles } from '../files/list-files.ts'
import { noDocuments, readDocuments } from '../files/read-documents.ts'
import { type FileStates, readFileStates } from '../files/file-states.ts'
import { noteOutsideLinks } from '../files/outside-links.ts'
import { reading } from '../files/read-file.ts'
import { selectFiles } from '../files/select-files.ts'
import { ggufModels } from '../gguf/gguf-files.ts'
import { readLicense } from '../files/read-license.ts'
import { dequantize } from '../quantization/dequantize.ts'
import { smallReader } from '../quantization/read-small.ts'
import { locatePath, looksLocal, splitHubFile } from './locate-path.ts'
import { findNearestPath } from './nearest-path.ts'
import { openFolder } from './open-folder.ts'
import { sayWhole, type WholePath } from './open-issues.ts'

/** Where a model is looked for, and who is told of what opening it takes. */
export interface OpenOptions {
  /** Folders that relative paths are looked for in, in order: the current one, then that of the config. */
  readonly roots: readonly string[]
  readonly hub?: HubOptions
  /** Ends the opening with its reason. */
  readonly signal?: AbortSignal
  /** Of hub files that are needed before anything can be planned. */
  readonly onProgress?: (progress: DownloadProgress) => void
  /** Only list what pickles of the hub have, where that can be done: the checkpoint is then provisional. */
  readonly listPickles?: boolean
  /** 'file:line:column' of what names the model, for errors. */
  readonly where?: string
  /** Take a folder without config.json as a set of tensors. */
  readonly allowNoConfig?: boolean
}

/** Where models are. */
export interface ModelPlaces {
  readonly store: FileStore
  /** Finds models of the hub, with their small files in `store`; absent where there is no hub. */
  readonly resolveHub?: ResolveHubModel
}

/**
 * Opens what a reference names: a model's folder, a file of tensors, or a model of the hub, with its adapters. Reads configs
 * and headers and checks them; of the weights nothing is read.
 * @throws CheckpointError; SafetensorsError for a broken safetensors file or index
 */
export function openCheckpointFrom(
  places: ModelPlaces,
  reference: ModelReference,
  options: OpenOptions,
): Promise<Checkpoint> {
  const { signal } = options
  if (signal === undefined) return openFrom(places, reference, options)
  const hub = {
    ...options.hub,
    signal: AbortSignal.any([signal, ...(options.hub?.signal ? [options.hub.signal] : [])]),
  }
  return untilAborted(signal, () =>
    openFrom({ ...places, store: abortableFiles(places.store, signal) }, reference, { ...options, hub }),
  )
}

async function openFrom(places: ModelPlaces, reference: ModelReference, options: OpenOptions): Promise<Checkpoint> {
  const place = await findPlace(places, reference, 'model', { ...options, whole: reference })
  const opened = await openPlace(places.store, reference, place, options)
  return reference.adapters.length === 0 ? opened : applyAdapters(places, opened, options)
}

/** A folder or file of the store, which may be a copy of a hub model. */
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

type Repository = ModelReference['adapters'][number]

async function findPlace(
  { store, resolveHub }: ModelPlaces,
  { path, revision }: Repository,
  purpose: 'model' | 'adapter',
  { roots, hub, onProgress, where, whole, listPickles = false }: OpenOptions & { readonly whole: ModelReference },
): Promise<Place> {
  const located = await locatePath(store, path, roots)
  if (located.kind === 'found') {
    const notes = revision === undefined ? [] : [`${path} is a local folder; its revision '${revision}' is ignored`]
    const meant = notes.length === 0 ? undefined : await findWhole(store, whole, roots)
    return {
      path: located.path,
      hub: undefined,
      notes: meant?.isThere ? notes.map((note) => `${note}, though ${sayWhole(meant)}`) : notes,
    }
  }
  const { tried } = located
  const notFound = async () => {
    const near = await findNearestPath(store, path, roots)
    const meant = await findWhole(store, whole, roots)
    return { path, tried, meant, ...(near !== undefined && { near }), ...(where !== undefined && { where }) }
  }
  const atHub = purpose === 'model' ? splitHubFile(path) : undefined
  if (resolveHub === undefined || (atHub === undefined && looksLocal(path)))
    throw new CheckpointError({ code: 'folder-not-found', ...(await notFound()) })
  try {
    const { id, file } = atHub ?? { id: path }
    const wanted = { purpose, listPickles, ...(file !== undefined && { gguf: file }) }
    const model = await resolveHub(id, revision, { ...hub, ...wanted, ...(onProgress && { onProgress }) })
    return { path: joinPath(model.folder, model.gguf ?? ''), hub: model, notes: model.notes }
  } catch (cause) {
    const code = cause instanceof CheckpointError ? notAtHub[cause.code] : undefined
    if (code === undefined) throw cause
    throw new CheckpointError({ code, ...(await notFound()), reason: (cause as Error).message }, { cause })
  }
}

/** The text of a reference with a revision or adapters may have been meant as one path. */
async function findWhole(
  store: FileStore,
  reference: ModelReference,
  roots: readonly string[],
): Promise<WholePath | undefined> {
  const path = formatModelReference(reference)
  if (path === reference.path) return undefined
  return { path, isThere: (await locatePath(store, path, roots)).kind === 'found' }
}

/** What is no adapter may be the rest of a path. */
function withWhole(error: unknown, meant: WholePath | undefined): unknown {
  if (!(error instanceof CheckpointError) || error.issue.code !== 'adapter-config' || meant?.isThere !== true)
    return error
  const expected = `${error.issue.expected}; ${sayWhole(meant)}`
  return new CheckpointError({ ...error.issue, expected }, { cause: error })
}

async function openPlace(
  store: FileStore,
  reference: ModelReference,
  { path, hub, notes }: Place,
  options: OpenOptions,
): Promise<Checkpoint> {
  // What is at the hub only is a GGUF's file.
  const isFolder = hub?.gguf === undefined && (await reading(path, () => store.stat(path))).kind === 'folder'
  const states = await readFileStates(store, path, isFolder)
  const gguf = isFolder ? await findGguf(store, path) : path.endsWith('.gguf') ? path : undefined
  if (gguf !== undefined) {
    const { openGguf } = await import('../gguf/open-gguf.ts')
    const opened = await openGguf(store, reference, gguf, hub?.ggufHeaders)
    return {
      ...opened,
      hub: hub && { id: hub.id, commit: hub.commit },
      states: statesOf(states, weightsOf(opened.tensors)),
      notes: [...notes, ...opened.notes],
      ...(hub && downloadsOf([hub])),
    }
  }
  const { documents, notes: ofDocuments } = isFolder ? await readDocuments(store, path, states) : noDocuments
  const config = documents.get('config.json')?.value
  if (config === undefined) {
    if (isFolder && options.allowNoConfig !== true) await refuseWithoutConfig(store, path)
    if (hub !== undefined && hub.pickles.size > 0) await bringPickles(hub, options)
    const { openRaw } = await import('../raw/open-raw.ts')
    const raw = await openRaw(store, reference, path)
    const { tensors, notes: more } = await dequantize(path, raw.tensors, undefined, smallReader(store))
    return { ...raw, tensors, states: statesOf(states, weightsOf(tensors)), notes: [...notes, ...raw.notes, ...more] }
  }
  // How quantized pickles are to be read only their bytes tell.
  const isWhole = hub !== undefined && hub.pickles.size > 0 && config['quantization_config'] !== undefined
  if (isWhole) await bringPickles(hub, options)
  const pickles: HubModel['pickles'] = isWhole ? new Map() : (hub?.pickles ?? new Map())
  const known = { headers: hub?.headers ?? new Map(), pickles }
  const opened = await openFolder(store, path, known, config)
  const readSmall = smallReader(store)
  const plain = await dequantize(path, opened.tensors, config, (source) =>
    hub?.headers.has(source.file)
      ? hub.readRange(
          source.file,
          source.byteStart,
          source.byteStart + elementCount(source.shape) * dtypeBytes(source.dtype),
        )
      : readSmall(source),
  )
  const { files, notes: ofFiles } = await listFiles(store, path, config)
  const small = new Set([...documents.keys(), ...files.map(({ name }) => name)])
  const used = [...weightsOf(plain.tensors), ...[...small].map((name) => joinPath(path, name))]
  const isOther = new Set(files.filter(({ role }) => role === 'other').map(({ name }) => joinPath(path, name)))
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
    ...(await readOrigin(store, { folder: path, listed: states }, hub)),
    config: plain.config,
    documents,
    files,
    tensors: plain.tensors,
    states: statesOf(
      states,
      used.filter((file) => !isOther.has(file)),
    ),
    notes: [
      ...notes,
      ...ofDocuments,
      ...(await noteOutsideLinks(store, path, used)),
      ...opened.notes,
      ...plain.notes,
      ...ofFiles,
      ...noteOfCode,
    ],
    ...(hub && !isWhole && downloadsOf([hub])),
    ...(pickles.size > 0 && { isProvisional: true as const }),
  }
}

/** Brings pickles that were only listed. */
async function bringPickles(hub: HubModel, { onProgress, hub: options }: Omit<OpenOptions, 'roots'>): Promise<void> {
  const what = [...hub.pickles.keys()].map(nameOfPath).join(', ')
  options?.onActivity?.({ kind: 'whole-files', id: hub.id, what, byteCount: hub.downloadBytes })
  await hub.download(onProgress)
}

async function readOrigin(
  store: FileStore,
  { folder, listed }: { readonly folder: string; readonly listed: FileStates },
  hub: HubModel | undefined,
): Promise<Pick<Checkpoint, 'hub' | 'license'>> {
  const license = await readLicense(store, folder, listed)
  return { hub: hub && { id: hub.id, commit: hub.commit }, ...(license !== undefined && { license }) }
}

/** Finds the GGUF that a folder is, which has no weights in other formats. @throws CheckpointError `gguf-several` */
async function findGguf(store: FileStore, folder: string): Promise<string | undefined> {
  const names = (await reading(folder, () => store.list(folder))).toSorted()
  const models = selectFiles(names, 'model').format === undefined ? ggufModels(names) : []
  if (models.length > 1) throw new CheckpointError({ code: 'gguf-several', model: folder, files: models })
  return models[0] && joinPath(folder, models[0])
}

async function refuseWithoutConfig(store: FileStore, folder: string): Promise<never> {
  const names = (await reading(folder, () => store.list(folder))).toSorted()
  const isAdapter = names.includes('adapter_config.json')
  if (isAdapter || names.some((name) => /\.(safetensors|bin|pt|pth|ckpt)$/.test(name)))
    throw new CheckpointError({ code: 'config-missing', folder, isAdapter })
  throw new CheckpointError({ code: 'no-weights', folder, found: names })
}

/**
 * Lays the adapters of a model's reference over its tensors.
 * @param opened the model without them
 * @throws CheckpointError; SafetensorsError
 */
export async function applyAdapters(
  places: ModelPlaces,
  opened: Checkpoint,
  options: OpenOptions,
): Promise<Checkpoint> {
  const { store } = places
  const { openAdapter } = await import('../adapter/open-adapter.ts')
  const { applyAdapter } = await import('../adapter/apply-adapter.ts')
  let { tensors } = opened
  const states = new Map(opened.states)
  const notes = [...opened.notes]
  const downloads: Downloadable[] = []
  const adapters: AdapterOrigin[] = []
  for (const repository of opened.reference.adapters) {
    const place = await findPlace(places, repository, 'adapter', { ...options, whole: opened.reference })
    const before = await readFileStates(store, place.path, true)
    const adapter = await openAdapter(store, place.path, {
      name: repository.path,
      ...(place.hub && { headers: place.hub.headers }),
    }).catch(async (error: unknown) => {
      throw withWhole(error, await findWhole(store, opened.reference, options.roots))
    })
    const applied = applyAdapter(tensors, adapter, opened.config)
    tensors = applied.tensors
    const used = [joinPath(place.path, 'adapter_config.json'), ...weightsOf(adapter.tensors)]
    for (const [file, state] of statesOf(before, used)) states.set(file, state)
    adapters.push({
      path: repository.path,
      ...(await readOrigin(store, { folder: place.path, listed: before }, place.hub)),
    })
    notes.push(...place.notes, ...(await noteOutsideLinks(store, place.path, used)), ...applied.notes)
    if (place.hub !== undefined) downloads.push(place.hub)
  }
  return {
    ...opened,
    adapters,
    tensors,
    states,
    notes,
    ...downloadsOf([...(opened.downloadBytes ? [opened as Downloadable] : []), ...downloads]),
  }
}

const weightsOf = (tensors: Checkpoint['tensors']): readonly string[] => sourceFiles(tensors.values())

const statesOf = (states: FileStates, files: readonly string[]): FileStates =>
  new Map(files.flatMap((file) => (states.has(file) ? [[file, states.get(file)!] as const] : [])))

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
