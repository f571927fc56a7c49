import { CheckpointError } from '../errors.ts'
import { readIndex, reading, readingIfPresent } from '../files/read-file.ts'
import { type FileStore, folderOfPath, joinPath, nameOfPath, type TensorSource } from '@mk/source'
import { selectStateDict } from './state-dict.ts'
import { sourceOfTensor } from './storage-source.ts'
import { readTorchFile } from './torch-file.ts'

export interface OpenPickleOptions {
  /** Called with what a person should know: what was left out because it is no tensor. */
  readonly onNote?: (note: string) => void
  /** What is known of files that are yet to be downloaded, by path. */
  readonly known?: KnownPickles
}

/** The tensors of torch files that are still at the hub, by path, and what a person should know of them. */
export type KnownPickles = ReadonlyMap<
  string,
  { readonly tensors: ReadonlyMap<string, TensorSource>; readonly notes: readonly string[] }
>

/**
 * Opens files that torch.save wrote: their tensors, each with the place of its bytes; of the storages nothing is read. A file
 * named `….index.json` stands for the shards it lists. The pickle in a file is parsed, never executed.
 * @throws CheckpointError `pickle-…` or `zip-…`, SafetensorsError `bad-index` or `unsafe-path`
 */
export async function openPickle(
  store: FileStore,
  files: readonly string[],
  options: OpenPickleOptions = {},
): Promise<Map<string, TensorSource>> {
  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  for (const file of files) {
    for (const shard of file.endsWith('.index.json')
      ? await openIndex(store, file, options)
      : [await reading(file, () => openShard(store, file, options))]) {
      for (const [name, source] of shard.tensors) {
        const other = owners.get(name)
        if (other !== undefined)
          throw new CheckpointError({ code: 'pickle-shards-overlap', file: shard.file, other, tensor: name })
        owners.set(name, shard.file)
        tensors.set(name, source)
      }
    }
  }
  return tensors
}

interface Shard {
  readonly file: string
  readonly tensors: ReadonlyMap<string, TensorSource>
}

async function openIndex(store: FileStore, index: string, options: OpenPickleOptions): Promise<readonly Shard[]> {
  const shardOf = await readIndex(store, index)
  const folder = folderOfPath(index)
  const shards = new Map<string, Shard>()
  for (const shard of new Set(shardOf.values())) {
    const file = joinPath(folder, shard)
    const opened = await readingIfPresent(file, () => openShard(store, file, options))
    if (opened === undefined)
      throw new CheckpointError({ code: 'shard-missing', folder, shard, listedBy: nameOfPath(index) })
    shards.set(shard, opened)
  }
  for (const [tensor, shard] of shardOf) {
    if (!shards.get(shard)!.tensors.has(tensor))
      throw new CheckpointError({ code: 'pickle-index-missing', file: index, tensor, shard })
  }
  return [...shards.values()]
}

async function openShard(store: FileStore, file: string, { onNote, known }: OpenPickleOptions): Promise<Shard> {
  const remote = known?.get(file)
  remote?.notes.forEach((note) => onNote?.(note))
  if (remote !== undefined) return { file, tensors: remote.tensors }
  // What is no file is refused by `withFile`.
  return store.withFile(file, async ({ byteCount: fileBytes }) => {
    const files = store.openFiles()
    try {
      const { root, storages } = readTorchFile({ file, files, fileBytes })
      const { tensors, notes } = selectStateDict(root, file)
      for (const note of notes) onNote?.(note)
      return {
        file,
        tensors: new Map([...tensors].map(([name, tensor]) => [name, sourceOfTensor(file, name, tensor, storages)])),
      }
    } finally {
      files.close()
    }
  })
}
