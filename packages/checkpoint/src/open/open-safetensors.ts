import { isTiedCopy, type ModelConfig } from '@mk/architecture'
import { shortened } from '@mk/errors'
import { type FileSource, type FileStore, joinPath } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import { type KnownHeaders, readFileSources, readIndex } from '../files/read-file.ts'
import { forEachParallel } from '../for-each-parallel.ts'

type Shard = ReadonlyMap<string, FileSource>

export interface OpenedTensors {
  readonly tensors: Shard
  readonly notes: readonly string[]
}

/** What of a folder are weights. */
export interface WeightFiles {
  readonly folder: string
  readonly names: readonly string[]
  readonly index: string | undefined
}

const parallelHeaders = 8

/**
 * Opens the tensors of all shards, file by file. Every tensor that the index lists must be where it says; one that it doesn't
 * list is taken too, with a note.
 * A tensor that is listed and is in no shard may be a copy of one that is, as `config` ties them; a note tells.
 * @param files.index name of the index in the folder, which then tells the files; otherwise `names` are those
 * @throws CheckpointError `shard-missing`, `index-tensor-missing`, `tensor-twice`, `unreadable-model`; SafetensorsError
 */
export async function openSafetensors(
  store: FileStore,
  { folder, names, index }: WeightFiles,
  known: KnownHeaders,
  config?: ModelConfig,
): Promise<OpenedTensors> {
  const indexFile = index === undefined ? undefined : joinPath(folder, index)
  const shardOf = indexFile === undefined ? undefined : await readIndex(store, indexFile)
  const files = shardOf === undefined ? [...names].sort() : [...new Set(shardOf.values())].sort()
  const listedBy = index ?? 'the name of another'
  if (shardOf === undefined) checkNumbering(folder, files, listedBy)
  const shards = await readShards(store, { folder, names: files, listedBy }, known)
  const tensors = new Map<string, FileSource>()
  const unlisted: string[] = []
  for (const name of files) {
    for (const [tensor, source] of shards.get(name)!) {
      const listed = shardOf?.get(tensor)
      if (listed !== undefined && listed !== name) continue
      if (shardOf !== undefined && listed === undefined) unlisted.push(tensor)
      const other = tensors.get(tensor)
      if (other !== undefined)
        throw new CheckpointError({ code: 'tensor-twice', tensor, file: source.file, other: other.file })
      tensors.set(tensor, source)
    }
  }
  const absent = [...(shardOf ?? [])].filter(([tensor]) => !tensors.has(tensor))
  for (const [tensor, shard] of absent) {
    if (!isTiedCopy(tensor, tensors.keys(), config))
      throw new CheckpointError({ code: 'index-tensor-missing', index: indexFile!, tensor, shard })
  }
  const notes: string[] = []
  if (unlisted.length > 0)
    notes.push(`${indexFile}: ${describeNames(unlisted)} in the shards but not in the index; taken nevertheless`)
  if (absent.length > 0) {
    const names = absent.map(([tensor]) => tensor)
    notes.push(
      `${indexFile}: ${describeNames(names)} in no shard, but ${absent.length === 1 ? 'a copy' : 'copies'} of what is`,
    )
  }
  return { tensors, notes }
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

async function readShards(
  store: FileStore,
  { folder, names, listedBy }: Omit<WeightFiles, 'index'> & { readonly listedBy: string },
  known: KnownHeaders,
) {
  const shards = new Map<string, Shard>()
  await forEachParallel(names, parallelHeaders, async (name) => {
    const sources = await readFileSources(store, joinPath(folder, name), known)
    if (sources === undefined) throw new CheckpointError({ code: 'shard-missing', folder, shard: name, listedBy })
    shards.set(name, sources)
  })
  return shards
}

function describeNames(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `'${shortened(name)}'`)
  return `${shown.join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''} ${names.length === 1 ? 'is' : 'are'}`
}
