import { join } from 'node:path'
import type { DownloadProgress } from '../checkpoint.ts'
import { hasCode } from '@mk/errors'
import { nodeFiles } from '@mk/source/node'
import { CheckpointError } from '../errors.ts'
import { sizeOf } from './size-of.ts'
import { downloadBlob, partialFile } from './download-blob.ts'
import { type CachedModel, freeBytes, openCachedModel } from './hub-cache.ts'
import { findAtHub, weightsAmong, withShards } from './find-at-hub.ts'
import { inspectSnapshot } from './inspect-snapshot.ts'
import { writingCache } from './writing-cache.ts'
import { createHubClient, type HubClient, type RemoteFile } from './hub-client.ts'
import type { HubModel, ResolveHubOptions } from './hub-model.ts'
import type { HubFile } from './listed-file.ts'
import { type HubSettings, readHubSettings } from './hub-settings.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import { readRange } from './ranged-response.ts'
import { readRemoteHeader } from './remote-header.ts'
import { readRemotePickle } from './remote-pickle.ts'
import type { WantedFiles } from './select-hub-files.ts'
import { readRemoteGgufHeader } from './remote-gguf-header.ts'

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
  const asCached = (...notes: readonly string[]): HubModel => ({
    id,
    commit: commit!,
    folder: cached.snapshotFolder(commit!),
    files: local!.files,
    headers: new Map(),
    pickles: new Map(),
    ggufHeaders: new Map(),
    gguf: local!.gguf,
    readRange: (path) => Promise.reject(new RangeError(`${path} is in the cache`)),
    downloadBytes: 0,
    notes,
    download: () => Promise.resolve(),
  })
  const isRefreshed = options.refresh === true && revision !== commit
  if (local?.state === 'whole' && !isRefreshed) return asCached()
  const usedAsItIs = (because: string) =>
    `${id} is used as it is in the cache, at commit ${commit!}, because ${because}${local?.doubt === undefined ? '' : `: ${local.doubt}`}`
  if (settings.offline) {
    if (local === undefined || local.state === 'partial')
      throw new CheckpointError({ code: 'hub-offline', id, revision, cacheFolder: settings.cacheFolder })
    return asCached(usedAsItIs('HF_HUB_OFFLINE is set'))
  }
  try {
    const client = createHubClient(id, settings, options)
    const model = await writingCache(settings.cacheFolder, () =>
      resolveAtHub({ client, cached, settings, options, wanted }, revision),
    )
    const hasMoved = commit !== undefined && local !== undefined && model.commit !== commit
    const moved = `${id}: '${revision}' has moved from commit ${commit!} to ${model.commit}`
    return hasMoved ? { ...model, notes: [...model.notes, moved] } : model
  } catch (error) {
    if (local === undefined || local.state === 'partial' || !hasCode(error, ...awayCodes)) throw error
    return asCached(usedAsItIs('the hub could not be reached'))
  }
}

/** The hub can't be asked now, which says nothing about the model. */
const awayCodes = ['hub-unreachable', 'hub-status', 'hub-rate-limited', 'hub-storage'] as const

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
  const { commit, listed, selection, notes } = await findAtHub(client, revision, wanted)
  const small = selection.small.map((name) => listed.get(name)!)
  await checkRoom(hub, small)
  await bring(hub, commit, small)
  await cached.writeCommit(revision, commit)
  const folder = cached.snapshotFolder(commit)
  const files = await withShards(nodeFiles, selection, folder)
  const pending: HubFile[] = []
  for (const file of weightsAmong(files, { id, listed, selection, wanted })) {
    const { name } = file
    if ((await sizeOf(cached.blobFile(file.hash))) === file.byteCount) await cached.link(commit, name, file.hash)
    else pending.push(file)
  }
  const downloadBytes = await checkRoom(hub, pending)
  const stallMs = options.stallMs ?? 60_000
  const readAll = <Header>(read: (remote: RemoteFile, path: string) => Promise<Header>) =>
    readHeaders(hub, commit, pending, read)
  const isListed = options.listPickles === true && wanted.purpose === 'model'
  const pickles =
    selection.format === 'pickle'
      ? await readAll((remote, path) =>
          isListed ? readRemotePickle(remote, path, stallMs) : Promise.resolve(undefined),
        )
      : new Map<string, undefined>()
  const isWhole = ({ name }: HubFile) =>
    pickles.has(join(folder, name)) && pickles.get(join(folder, name)) === undefined
  const whole = pending.filter(isWhole)
  const awaited = pending.filter((file) => !isWhole(file))
  const wholeBytes = await checkRoom(hub, whole)
  if (wholeBytes > 0) {
    const what = whole.map(({ name }) => name).join(', ')
    options.onActivity?.({ kind: 'whole-files', id, what, byteCount: wholeBytes })
  }
  if (whole.length > 0)
    await writingCache(hub.settings.cacheFolder, () => bring(hub, commit, whole, { onProgress: options.onProgress }))
  return {
    id,
    commit,
    folder,
    files,
    headers:
      selection.format === 'safetensors' ? await readAll((remote) => readRemoteHeader(remote, stallMs)) : new Map(),
    pickles: new Map([...pickles].flatMap(([path, pickle]) => (pickle === undefined ? [] : [[path, pickle] as const]))),
    ggufHeaders:
      selection.format === 'gguf' ? await readAll((remote) => readRemoteGgufHeader(remote, stallMs)) : new Map(),
    gguf: selection.format === 'gguf' ? selection.ggufs[0] : undefined,
    readRange(path, byteStart, byteEnd) {
      const file = awaited.find(({ name }) => join(folder, name) === path)
      if (file === undefined) throw new RangeError(`${path} is not at the hub`)
      return readRange({ client, commit, file }, byteStart, byteEnd, stallMs)
    },
    downloadBytes: downloadBytes - wholeBytes,
    notes,
    async download(onProgress, signal) {
      await checkRoom(hub, awaited)
      await writingCache(hub.settings.cacheFolder, () => bring(hub, commit, awaited, { onProgress, signal }))
    },
  }
}

async function readHeaders<Header>(
  { client, cached }: HubAccess,
  commit: string,
  files: readonly HubFile[],
  read: (remote: RemoteFile, path: string) => Promise<Header>,
): Promise<ReadonlyMap<string, Header>> {
  const entries = new Map<string, Header>()
  const pathOf = ({ name }: HubFile) => join(cached.snapshotFolder(commit), name)
  await forEachParallel(files, parallelHeaders, async (file) => {
    entries.set(file.name, await read({ client, commit, file }, pathOf(file)))
  })
  return new Map(files.map((file) => [pathOf(file), entries.get(file.name)!]))
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
  {
    onProgress,
    signal: ownSignal,
  }: {
    readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
    readonly signal?: AbortSignal | undefined
  } = {},
): Promise<void> {
  const { retryDelayMs = 500, stallMs = 60_000 } = options
  const earlier = new Map<string, number>()
  for (const { name, hash } of files) earlier.set(name, (await sizeOf(partialFile(cached.blobFile(hash)))) ?? 0)
  const done = new Map<string, number>()
  const totalBytes = files.reduce((sum, { name, byteCount }) => sum + Math.max(0, byteCount - earlier.get(name)!), 0)
  const earlierBytes = [...earlier.values()].reduce((sum, bytes) => sum + bytes, 0)
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
          earlierBytes,
        })
      }
      await downloadBlob({ client, commit, file }, cached.blobFile(file.hash), {
        retryDelayMs,
        stallMs,
        signal,
        onBytes: report,
        onActivity: options.onActivity,
      })
      await cached.link(commit, file.name, file.hash)
      report(file.byteCount)
    },
    AbortSignal.any([ownSignal, options.signal].filter((signal) => signal !== undefined)),
  )
}
