import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ModelReference } from '@mk/config'
import type { Checkpoint } from '../checkpoint.ts'
import { CheckpointError } from '../errors.ts'
import { type KnownHeaders, readFileSources, readIndex, reading } from '../files/read-file.ts'
import { openPickle } from '../pickle/open-pickle.ts'
import type { TensorSource } from '@mk/source'

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
  reference: ModelReference,
  path: string,
  headers: KnownHeaders = new Map(),
): Promise<Checkpoint> {
  const notes: string[] = []
  const files = (await reading(path, () => stat(path))).isDirectory()
    ? await filesOfFolder(path, headers)
    : await filesOfSet(path)
  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  for (const file of files) {
    for (const [tensor, source] of await openFile(file, headers, notes)) {
      const other = owners.get(tensor)
      if (other !== undefined) throw new CheckpointError({ code: 'raw-overlap', tensor, file, other })
      owners.set(tensor, file)
      tensors.set(tensor, source)
    }
  }
  return {
    reference,
    folder: undefined,
    hub: undefined,
    config: undefined,
    documents: new Map(),
    files: [],
    tensors,
    states: new Map(),
    notes,
  }
}

async function filesOfFolder(folder: string, headers: KnownHeaders): Promise<readonly string[]> {
  const awaited = [...headers.keys()].filter((file) => dirname(file) === folder).map((file) => basename(file))
  const names = [...new Set([...(await reading(folder, () => readdir(folder))), ...awaited])].sort()
  for (const endings of [safetensorsIndex, safetensors, pickleIndex, pickle]) {
    const files = names.filter((name) => endings.test(name)).map((name) => join(folder, name))
    if (files.length > 0) return files
  }
  throw new CheckpointError({ code: 'raw-empty', folder })
}

async function filesOfSet(path: string): Promise<readonly string[]> {
  if (!isRawPath(path)) throw new CheckpointError({ code: 'raw-kind', path })
  const groups = shard.exec(basename(path))?.groups
  if (groups === undefined || Number(groups['number']) > Number(groups['count'])) return [path]
  const present = new Set(await reading(dirname(path), () => readdir(dirname(path))))
  return Array.from({ length: Number(groups['count']) }, (_, index) => {
    const name = `${groups['stem']}${String(index + 1).padStart(5, '0')}-of-${groups['count']}${groups['extension']}`
    if (!present.has(name)) throw new CheckpointError({ code: 'raw-shard-missing', file: path, shard: name })
    return join(dirname(path), name)
  })
}

async function openFile(
  file: string,
  headers: KnownHeaders,
  notes: string[],
): Promise<Iterable<[string, TensorSource]>> {
  if (safetensors.test(file)) return openSafetensors(file, headers)
  if (safetensorsIndex.test(file)) return openIndex(file, headers)
  return openPickle([file], { onNote: (note) => notes.push(note) })
}

async function openSafetensors(file: string, headers: KnownHeaders): Promise<ReadonlyMap<string, TensorSource>> {
  const sources = await readFileSources(file, headers)
  if (sources === undefined) throw new CheckpointError({ code: 'unreadable-model', file, reason: 'no such file' })
  return sources
}

async function openIndex(index: string, headers: KnownHeaders): Promise<ReadonlyMap<string, TensorSource>> {
  const shardOf = await readIndex(index)
  const folder = dirname(index)
  const shards = new Map<string, ReadonlyMap<string, TensorSource>>()
  for (const shard of new Set(shardOf.values())) {
    const sources = await readFileSources(join(folder, shard), headers)
    if (sources === undefined)
      throw new CheckpointError({ code: 'shard-missing', folder, shard, listedBy: basename(index) })
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
