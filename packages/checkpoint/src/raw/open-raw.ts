import type { ModelReference } from '@mk/config'
import type { Checkpoint } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { type KnownHeaders, readFileSources, readIndex, reading } from '../files/read-file.ts'
import { tensorsOnly } from '../open/tensors-only.ts'
import { openPickle } from '../pickle/open-pickle.ts'
import { type FileStore, folderOfPath, joinPath, nameOfPath, type TensorSource } from '@mk/source'

const safetensors = /\.safetensors$/
const pickle = /\.(bin|pt|pth|ckpt)$/
const safetensorsIndex = /\.safetensors\.index\.json$/
const pickleIndex = /\.bin\.index\.json$/
const shard = /^(?<stem>.+-)(?<number>\d{5})-of-(?<count>\d{5})(?<extension>\.[a-z]+)$/

/** Tells whether a path names files of tensors, by its ending, rather than a model's folder or id. */
export const isRawPath = (path: string): boolean =>
  [safetensors, pickle, safetensorsIndex, pickleIndex].some((ending) => ending.test(path))

/**
 * Opens tensors without a config.json (`config` and `folder` are undefined): a file, all files of the set that a shard or
 * an index belongs to, or all safetensors of a folder (else its pickles).
 * @param path what the reference names, found on this machine
 * @param headers by path, of safetensors in that folder that are yet to be downloaded
 * @throws CheckpointError `raw-…`, `pickle-…`, `zip-…`; SafetensorsError
 */
export async function openRaw(
  store: FileStore,
  reference: ModelReference,
  path: string,
  headers: KnownHeaders = new Map(),
): Promise<Checkpoint> {
  const notes: string[] = []
  const files =
    (await reading(path, () => store.stat(path))).kind === 'folder'
      ? await filesOfFolder(store, path, headers)
      : await filesOfSet(store, path)
  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  for (const file of files) {
    const opened = await openFile(store, file, headers, notes)
    if (files.length === 1 && opened instanceof Map) return rawOf(reference, opened, notes)
    for (const [tensor, source] of opened) {
      const other = owners.get(tensor)
      if (other !== undefined) throw new CheckpointError({ code: 'raw-overlap', tensor, file, other })
      owners.set(tensor, file)
      tensors.set(tensor, source)
    }
  }
  return rawOf(reference, tensors, notes)
}

const rawOf = (reference: ModelReference, tensors: Checkpoint['tensors'], notes: readonly string[]): Checkpoint => ({
  ...tensorsOnly(reference, tensors, notes),
  states: new Map(),
})

async function filesOfFolder(store: FileStore, folder: string, headers: KnownHeaders): Promise<readonly string[]> {
  const awaited = [...headers.keys()].filter((file) => folderOfPath(file) === folder).map((file) => nameOfPath(file))
  const names = [...new Set([...(await reading(folder, () => store.list(folder))), ...awaited])].sort()
  for (const endings of [safetensorsIndex, safetensors, pickleIndex, pickle]) {
    const files = names.filter((name) => endings.test(name)).map((name) => joinPath(folder, name))
    if (files.length > 0) return files
  }
  throw new CheckpointError({ code: 'raw-empty', folder })
}

async function filesOfSet(store: FileStore, path: string): Promise<readonly string[]> {
  if (!isRawPath(path)) throw new CheckpointError({ code: 'raw-kind', path })
  const groups = shard.exec(nameOfPath(path))?.groups
  if (groups === undefined || Number(groups['number']) > Number(groups['count'])) return [path]
  const present = new Set(await reading(folderOfPath(path), () => store.list(folderOfPath(path))))
  return Array.from({ length: Number(groups['count']) }, (_, index) => {
    const name = `${groups['stem']}${String(index + 1).padStart(5, '0')}-of-${groups['count']}${groups['extension']}`
    if (!present.has(name)) throw new CheckpointError({ code: 'raw-shard-missing', file: path, shard: name })
    return joinPath(folderOfPath(path), name)
  })
}

async function openFile(
  store: FileStore,
  file: string,
  headers: KnownHeaders,
  notes: string[],
): Promise<Iterable<[string, TensorSource]>> {
  if (safetensors.test(file)) return openSafetensors(store, file, headers)
  if (safetensorsIndex.test(file)) return openIndex(store, file, headers)
  return openPickle(store, [file], { onNote: (note) => notes.push(note) })
}

async function openSafetensors(
  store: FileStore,
  file: string,
  headers: KnownHeaders,
): Promise<ReadonlyMap<string, TensorSource>> {
  const sources = await readFileSources(store, file, headers)
  if (sources === undefined) throw new CheckpointError({ code: 'unreadable-model', file, reason: 'no such file' })
  return sources
}

async function openIndex(
  store: FileStore,
  index: string,
  headers: KnownHeaders,
): Promise<ReadonlyMap<string, TensorSource>> {
  const shardOf = await readIndex(store, index)
  const folder = folderOfPath(index)
  const shards = new Map<string, ReadonlyMap<string, TensorSource>>()
  for (const shard of new Set(shardOf.values())) {
    const sources = await readFileSources(store, joinPath(folder, shard), headers)
    if (sources === undefined)
      throw new CheckpointError({ code: 'shard-missing', folder, shard, listedBy: nameOfPath(index) })
    shards.set(shard, sources)
  }
  const tensors = new Map<string, TensorSource>()
  for (const [tensor, shard] of shardOf) {
    const source = shards.get(shard)?.get(tensor)
    if (source === undefined) throw new CheckpointError({ code: 'raw-index-missing', index, tensor, shard })
    tensors.set(tensor, source)
  }
  return tensors
}
