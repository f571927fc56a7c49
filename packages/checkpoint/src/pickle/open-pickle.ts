import { open, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseIndex } from '@mk/safetensors'
import { CheckpointError } from '../errors.ts'
import type { TensorSource } from '@mk/source'
import { selectStateDict } from './state-dict.ts'
import { sourceOfTensor } from './storage-source.ts'
import { readTorchFile } from './torch-file.ts'

export interface OpenPickleOptions {
  /** What a person should know: things beside the tensors that were left out. */
  readonly onNote?: (note: string) => void
}

/**
 * The tensors of files that torch.save wrote, each with the place of its bytes; of the storages nothing is read. A file
 * named `….index.json` stands for the shards it lists. The pickle in a file is parsed, never executed.
 * @throws CheckpointError `pickle-…` or `zip-…`, SafetensorsError `bad-index` or `unsafe-path`
 */
export async function openPickle(
  files: readonly string[],
  options: OpenPickleOptions = {},
): Promise<Map<string, TensorSource>> {
  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  for (const file of files) {
    for (const shard of file.endsWith('.index.json')
      ? await openIndex(file, options)
      : [await openFile(file, options)]) {
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

async function openIndex(index: string, options: OpenPickleOptions): Promise<readonly Shard[]> {
  const { weightMap } = parseIndex(await readFile(index, 'utf8'), index)
  const shards = new Map<string, Shard>()
  for (const name of new Set(weightMap.values())) shards.set(name, await openFile(join(dirname(index), name), options))
  for (const [tensor, shard] of weightMap) {
    if (!shards.get(shard)!.tensors.has(tensor))
      throw new CheckpointError({ code: 'pickle-index-missing', file: index, tensor, shard: basename(shard) })
  }
  return [...shards.values()]
}

async function openFile(file: string, { onNote }: OpenPickleOptions): Promise<Shard> {
  const handle = await open(file)
  try {
    const { size } = await handle.stat()
    const { root, storages } = readTorchFile(handle.fd, file, size)
    const { tensors, notes } = selectStateDict(root, file)
    for (const note of notes) onNote?.(note)
    return {
      file,
      tensors: new Map([...tensors].map(([name, tensor]) => [name, sourceOfTensor(file, name, tensor, storages)])),
    }
  } finally {
    await handle.close()
  }
}
