import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { GgufHeader } from '@mk/gguf'
import type { TensorEntry } from '@mk/safetensors'
import type { DownloadProgress } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { fileRole } from '../files/file-roles.ts'
import { downloadBlob, partialFile } from './download-blob.ts'
import { type CachedModel, freeBytes, openCachedModel } from './hub-cache.ts'
import { createHubClient, type HubClient, type RemoteFile } from './hub-client.ts'
import type { HubFile } from './listed-file.ts'
import { type HubOptions, type HubSettings, readHubSettings } from './hub-settings.ts'
import { readIndex } from '../files/read-file.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import { readRange } from './ranged-response.ts'
import { listGguf, listModel } from './list-model.ts'
import { readRemoteHeader } from './remote-header.ts'
import { folderOf, type HubSelection, selectHubFiles, type WantedFiles } from './select-hub-files.ts'
import { readRemoteGgufHeader } from './remote-gguf-header.ts'

export interface ResolveHubOptions extends HubOptions {
  /** 'model' if absent. */
  readonly purpose?: 'model' | 'adapter'
  /** A GGUF by its path in the repository, where it may have several models. */
  readonly gguf?: string
  /** For what comes before it is asked for: pickles, which can't be read in part. */
  readonly onProgress?: (progress: DownloadProgress) => void
}

/** A model of the hub: its small files are in the cache, its weights are or can be brought. */
export interface HubModel {
  readonly id: string
  readonly commit: string
  /** The snapshot in the cache. */
  readonly folder: string
  /** Everything that a merge needs of it, the weights included, whether they are there yet or not. */
  readonly files: readonly string[]
  /** By path: the safetensors whose bytes are still at the hub. */
  readonly headers: ReadonlyMap<string, readonly TensorEntry[]>
  /** By path: the same of GGUFs. */
  readonly ggufHeaders: ReadonlyMap<string, GgufHeader>
  /** The file of the GGUF that the model is, in `folder`; undefined for others. */
  readonly gguf: string | undefined
  /** Reads a few bytes of one of those, [byteStart, byteEnd). @throws `hub-…` */
  readRange(path: string, byteStart: number, byteEnd: number): Promise<Uint8Array>
  /** What `download` will bring; 0 where everything is in the cache. */
  readonly downloadBytes: number
  readonly notes: readonly string[]
  /** Brings the weights, several files at a time; goes on where an earlier run broke off. @throws `hub-…` */
  download(onProgress?: (progress: DownloadProgress) => void): Promise<void>
}

const parallelFiles = 4
const parallelHeaders = 8

/**
 * Finds a model in the Hugging Face cache, without the network where it is complete there, else at the hub: then brings
 * config, tokenizer and index files, reads the headers of its safetensors by ranges, and leaves the weights for
 * `download`. Knows before the weights come whether there is room for them.
 * @throws CheckpointError `hub-…`; SafetensorsError for a header or an index
 */
export async function resolveHubModel(
  id: string,
  revision = 'main',
  options: ResolveHubOptions = {},
): Promise<HubModel> {
  const settings = await readHubSettings(options)
  const cached = openCachedModel(settings.cacheFolder, id, revision)
  const { purpose = 'model', gguf } = options
  const wanted: WantedFiles = { purpose, gguf }
  const commit = await cached.readCommit(revision)
  const local = commit === undefined ? undefined : await inspectSnapshot(cached, commit, wanted)
  const asCached = (notes: readonly string[]): HubModel => ({
    id,
    commit: commit!,
    folder: cached.snapshotFolder(commit!),
    files: local!.files,
    headers: new Map(),
    ggufHeaders: new Map(),
    gguf: local!.gguf,
    readRange: (path) => Promise.reject(new RangeError(`${path} is in the cache`)),
    downloadBytes: 0,
    notes,
    download: () => Promise.resolve(),
  })
  if (local?.state === 'whole') return asCached([])
  if (settings.offline) {
    if (local?.state === 'usable') return asCached([])
    throw new CheckpointError({ code: 'hub-offline', id, revision, cacheFolder: settings.cacheFolder })
  }
  try {
    return await resolveAtHub(
      { client: createHubClient(id, settings, options), cached, settings, options, wanted },
      revision,
    )
  } catch (error) {
    if (
      local?.state !== 'usable' ||
      !(error instanceof CheckpointError) ||
      !['hub-unreachable', 'hub-status'].includes(error.code)
    )
      throw error
    return asCached([`${id} was used as it is in the cache, because the hub could not be reached`])
  }
}

/**
 * 'whole': nothing is missing that a merge could need. 'usable': the weights are there, but perhaps no tokenizer, or they
 * have names from which one can't tell whether they are all.
 */
async function inspectSnapshot(cached: CachedModel, commit: string, wanted: WantedFiles) {
  const { purpose } = wanted
  const names = await cached.listSnapshot(commit, folderOf(wanted))
  const selection = selectHubFiles(names, wanted)
  const files = await withShards(selection, cached.snapshotFolder(commit))
  if (selection.format === 'gguf') {
    const isThere = selection.weights.every((name) => names.includes(name))
    // Which others the repository has, the cache can't tell.
    const state = !isThere ? 'partial' : wanted.gguf === undefined ? 'usable' : 'whole'
    return { state, files, gguf: selection.ggufs[0] } as const
  }
  const hasConfig = names.includes(purpose === 'adapter' ? 'adapter_config.json' : 'config.json')
  if (selection.format === undefined || !hasConfig || !files.every((name) => names.includes(name)))
    return { state: 'partial', files, gguf: undefined } as const
  const isCertain =
    (await hasModules(cached.snapshotFolder(commit), names)) &&
    (selection.index !== undefined ||
      /^(model\.safetensors|pytorch_model\.bin|adapter_model\.\w+)$/.test(selection.weights.join()))
  return {
    state:
      isCertain && (purpose === 'adapter' || names.some((name) => fileRole(name) === 'vocabulary'))
        ? 'whole'
        : 'usable',
    files,
    gguf: undefined,
  } as const
}

/** Finds out whether the modules that sentence-transformers' list names are there, which are folders. */
async function hasModules(folder: string, names: readonly string[]): Promise<boolean> {
  if (!names.includes('modules.json')) return true
  const text = await readFile(join(folder, 'modules.json'), 'utf8').catch(() => '')
  const paths = [...text.matchAll(/"path"\s*:\s*"(\d+_[A-Z]\w*)"/g)].map(([, path]) => path!)
  const found = await Promise.all(paths.map((path) => sizeOf(join(folder, path))))
  return found.every((size) => size !== undefined)
}

async function withShards(selection: HubSelection, folder: string): Promise<readonly string[]> {
  if (selection.index === undefined) return [...selection.small, ...selection.weights]
  const shardOf = await readIndex(join(folder, selection.index))
  return [...selection.small, ...new Set(shardOf.values())]
}

interface HubAccess {
  readonly client: HubClient
  readonly cached: CachedModel
  readonly settings: HubSettings
  readonly options: ResolveHubOptions
  readonly wanted: WantedFiles
}

async function resolveAtHub(hub: HubAccess, revision: string): Promise<HubModel> {
  const { client, cached, options, wanted } = hub
  const { id } = client
  const commit = /^[0-9a-f]{40}$/.test(revision) ? revision : await client.findCommit(revision)
  const { files: listed, notes } =
    wanted.gguf === undefined
      ? await listModel(client, commit, wanted.purpose === 'model')
      : await listGguf(client, commit, wanted)
  const selection = selectHubFiles([...listed.keys()], wanted)
  if (selection.ggufs.length > 1) throw new CheckpointError({ code: 'gguf-several', model: id, files: selection.ggufs })
  if (selection.format === undefined)
    throw new CheckpointError({ code: 'hub-no-weights', id, purpose: wanted.purpose, found: [...listed.keys()] })

  const small = selection.small.map((name) => listed.get(name)!)
  await checkRoom(hub, small)
  await bring(hub, commit, small)
  await cached.writeCommit(revision, commit)
  const folder = cached.snapshotFolder(commit)
  const files = await withShards(selection, folder)
  const pending: HubFile[] = []
  for (const name of files.filter((name) => !selection.small.includes(name))) {
    const file = listed.get(name)
    if (file === undefined)
      throw wanted.gguf === undefined || name !== wanted.gguf
        ? new CheckpointError({ code: 'hub-shard-missing', id, index: selection.index ?? '', shard: name })
        : new CheckpointError({ code: 'hub-not-found', id, what: `file ${name}` })
    if ((await sizeOf(cached.blobFile(file.hash))) === file.byteCount) await cached.link(commit, name, file.hash)
    else pending.push(file)
  }
  const downloadBytes = await checkRoom(hub, pending)
  const model: HubModel = {
    id,
    commit,
    folder,
    files,
    headers: selection.format === 'safetensors' ? await readHeaders(hub, commit, pending, readRemoteHeader) : new Map(),
    ggufHeaders:
      selection.format === 'gguf' ? await readHeaders(hub, commit, pending, readRemoteGgufHeader) : new Map(),
    gguf: selection.format === 'gguf' ? selection.ggufs[0] : undefined,
    readRange(path, byteStart, byteEnd) {
      const file = pending.find(({ name }) => join(folder, name) === path)
      if (file === undefined) throw new RangeError(`${path} is not at the hub`)
      return readRange({ client, commit, file }, byteStart, byteEnd, options.stallMs ?? 60_000)
    },
    downloadBytes: selection.format === 'pickle' ? 0 : downloadBytes,
    notes,
    async download(onProgress) {
      await checkRoom(hub, pending)
      await bring(hub, commit, pending, onProgress)
    },
  }
  if (selection.format === 'pickle') await model.download(options.onProgress)
  return model
}

async function readHeaders<Header>(
  { client, cached, options }: HubAccess,
  commit: string,
  files: readonly HubFile[],
  read: (remote: RemoteFile, stallMs: number) => Promise<Header>,
): Promise<ReadonlyMap<string, Header>> {
  const entries = new Map<string, Header>()
  await forEachParallel(files, parallelHeaders, async (file) => {
    entries.set(file.name, await read({ client, commit, file }, options.stallMs ?? 60_000))
  })
  return new Map(files.map(({ name }) => [join(cached.snapshotFolder(commit), name), entries.get(name)!]))
}

/** @returns the bytes that are yet to come. @throws `hub-disk` */
async function checkRoom({ cached, settings, options }: HubAccess, files: readonly HubFile[]): Promise<number> {
  let neededBytes = 0
  for (const { hash, byteCount } of files) {
    const blob = cached.blobFile(hash)
    if ((await sizeOf(blob)) === undefined)
      neededBytes += Math.max(0, byteCount - ((await sizeOf(partialFile(blob))) ?? 0))
  }
  if (neededBytes === 0) return 0
  const availableBytes = await (options.freeBytes ?? freeBytes)(settings.cacheFolder)
  if (neededBytes > availableBytes)
    throw new CheckpointError({ code: 'hub-disk', folder: settings.cacheFolder, neededBytes, availableBytes })
  return neededBytes
}

async function bring(
  { client, cached, options }: HubAccess,
  commit: string,
  files: readonly HubFile[],
  onProgress?: (progress: DownloadProgress) => void,
): Promise<void> {
  const { retryDelayMs = 500, stallMs = 60_000 } = options
  const earlier = new Map<string, number>()
  for (const { name, hash } of files) earlier.set(name, (await sizeOf(partialFile(cached.blobFile(hash)))) ?? 0)
  const done = new Map<string, number>()
  const totalBytes = files.reduce((sum, { name, byteCount }) => sum + Math.max(0, byteCount - earlier.get(name)!), 0)
  await forEachParallel(
    files,
    options.parallelFiles ?? parallelFiles,
    async (file, signal) => {
      const report = (fileBytes: number): void => {
        done.set(file.name, Math.max(0, fileBytes - earlier.get(file.name)!))
        onProgress?.({
          id: client.id,
          file: file.name,
          doneBytes: [...done.values()].reduce((sum, bytes) => sum + bytes, 0),
          totalBytes,
        })
      }
      await downloadBlob({ client, commit, file }, cached.blobFile(file.hash), {
        retryDelayMs,
        stallMs,
        signal,
        onBytes: report,
      })
      await cached.link(commit, file.name, file.hash)
      report(file.byteCount)
    },
    options.signal,
  )
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
