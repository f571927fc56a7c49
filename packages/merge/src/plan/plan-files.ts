import { formatIndex, layoutFile, type Dtype } from '@mk/safetensors'
import { dataFileName, formatRecord } from './output-names.ts'
import type { Operation, PlannedFile, PlannedTensor } from './merge-plan.ts'
import { storedBytes } from './stored-size.ts'

/** A tensor of the output before it has a place in a file. */
export interface UnplacedTensor {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly operation: Operation
}

export interface FileLayout {
  readonly files: readonly PlannedFile[]
  readonly tensors: readonly PlannedTensor[]
  /** The text of model.safetensors.index.json; undefined for a single file. */
  readonly index: string | undefined
}

/** What a file has at most where nothing else is asked for. */
const usualShardBytes = 5e9

/**
 * Gives every tensor its place: in one file, or in shards of at most `shardBytes` (a larger tensor has one to itself).
 * @param recorded files that the output copies and whose names don't tell so: the first file's metadata lists them
 */
export const planFiles = (
  tensors: readonly UnplacedTensor[],
  shardBytes: number = usualShardBytes,
  recorded: readonly string[] = [],
): FileLayout => placeShards(cutShards(tensors, shardBytes), recorded)

function cutShards(tensors: readonly UnplacedTensor[], shardBytes: number): readonly (readonly UnplacedTensor[])[] {
  const shards: UnplacedTensor[][] = []
  let room = 0
  for (const tensor of tensors) {
    const bytes = storedBytes(tensor)
    if (shards.length === 0 || bytes > room) {
      shards.push([])
      room = shardBytes
    }
    shards.at(-1)!.push(tensor)
    room -= bytes
  }
  return shards.length === 0 ? [[]] : shards
}

/** Gives every tensor its place where it is known what each file has, and in which order. */
export function placeShards(shards: readonly (readonly UnplacedTensor[])[], recorded: readonly string[]): FileLayout {
  const files: PlannedFile[] = []
  const placed: PlannedTensor[] = []
  shards.forEach((shard, file) => {
    const name = dataFileName(file, shards.length)
    const metadata = { format: 'pt', ...(file === 0 && formatRecord(recorded)) }
    const layout = layoutFile(shard, metadata)
    files.push({ name, fileBytes: layout.fileBytes, format: 'safetensors', metadata })
    for (const [index, { name, dtype, shape, operation }] of shard.entries())
      placed.push({ name, dtype, shape, operation, file, byteStart: layout.tensors[index]!.byteStart })
  })
  return { files, tensors: placed, index: shards.length === 1 ? undefined : indexText(files, placed) }
}

function indexText(files: readonly PlannedFile[], tensors: readonly PlannedTensor[]): string {
  const totalBytes = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0)
  return formatIndex(new Map(tensors.map(({ name, file }) => [name, files[file]!.name])), { total_size: totalBytes })
}
