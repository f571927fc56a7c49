import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseIndex, type TensorEntry } from '@mk/safetensors'
import { readSafetensorsHeader } from '@mk/safetensors/node'
import { CheckpointError } from '../errors.ts'
import { forEachParallel } from '../hub/parallel.ts'
import type { TensorSource } from '@mk/source'

/** Headers by path, of files whose tensors are yet to be downloaded. */
export type KnownHeaders = ReadonlyMap<string, readonly TensorEntry[]>

export interface OpenedTensors {
  readonly tensors: ReadonlyMap<string, TensorSource>
  readonly notes: readonly string[]
}

const parallelHeaders = 8

/**
 * The tensors of all shards, file by file. Every tensor that the index lists must be where it says; one that it doesn't list
 * is taken too, with a note.
 * @param index name of the index in the folder, which then tells the files; otherwise `names` are those
 * @throws CheckpointError shard-missing, index-tensor-missing, tensor-twice; SafetensorsError
 */
export async function openSafetensors(
  folder: string,
  names: readonly string[],
  index: string | undefined,
  known: KnownHeaders,
): Promise<OpenedTensors> {
  const indexFile = index === undefined ? undefined : join(folder, index)
  const weightMap =
    indexFile === undefined ? undefined : parseIndex(await readFile(indexFile, 'utf8'), indexFile).weightMap
  const files = weightMap === undefined ? [...names].sort() : [...new Set(weightMap.values())].sort()
  const listedBy = index ?? 'the name of another'
  if (weightMap === undefined) checkNumbering(folder, files, listedBy)
  const headers = await readHeaders(folder, files, listedBy, known)

  const tensors = new Map<string, TensorSource>()
  const owners = new Map<string, string>()
  const unlisted: string[] = []
  for (const name of files) {
    const file = join(folder, name)
    for (const { name: tensor, dtype, shape, byteStart } of headers.get(name)!) {
      const listed = weightMap?.get(tensor)
      const other = owners.get(tensor)
      if (listed !== undefined && listed !== name) continue
      if (weightMap !== undefined && listed === undefined) unlisted.push(tensor)
      if (other !== undefined) throw new CheckpointError({ code: 'tensor-twice', tensor, file, other })
      owners.set(tensor, file)
      tensors.set(tensor, { kind: 'file', dtype, shape, file, byteStart })
    }
  }
  for (const [tensor, shard] of weightMap ?? []) {
    if (!tensors.has(tensor))
      throw new CheckpointError({ code: 'index-tensor-missing', index: indexFile!, tensor, shard })
  }
  return {
    tensors,
    notes:
      unlisted.length === 0
        ? []
        : [`${indexFile}: ${describeNames(unlisted)} in the shards but not in the index; taken nevertheless`],
  }
}

/** Where shards come without an index, their names still tell how many there must be. */
function checkNumbering(folder: string, names: readonly string[], listedBy: string): void {
  for (const name of names) {
    const [, stem, count, rest] = /^(.*-)\d{5}-of-(\d{5})(\..+)$/.exec(name) ?? []
    for (let number = 1; number <= Number(count ?? 0); number++) {
      const shard = `${stem}${String(number).padStart(5, '0')}-of-${count}${rest}`
      if (!names.includes(shard)) throw new CheckpointError({ code: 'shard-missing', folder, shard, listedBy })
    }
  }
}

async function readHeaders(folder: string, names: readonly string[], listedBy: string, known: KnownHeaders) {
  const headers = new Map<string, readonly TensorEntry[]>()
  await forEachParallel(names, parallelHeaders, async (name) => {
    const file = join(folder, name)
    try {
      headers.set(name, known.get(file) ?? (await readSafetensorsHeader(file)).tensors)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw new CheckpointError({ code: 'shard-missing', folder, shard: name, listedBy }, { cause })
    }
  })
  return headers
}

function describeNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `'${name}'`)
  return `${shown.join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} ${names.length === 1 ? 'is' : 'are'}`
}
