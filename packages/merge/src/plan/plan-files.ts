import { formatIndex, layoutFile, type Dtype } from '@mk/safetensors'
import type { Operation, PlannedFile, PlannedTensor } from './merge-plan.ts'
import { storedBytes } from './stored-size.ts'

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

const metadata = { format: 'pt' }

/** Gives every tensor its place: in one file, or in shards of at most `shardBytes` (a larger tensor has one to itself). */
export function planFiles(tensors: readonly UnplacedTensor[], shardBytes: number): FileLayout {
  const shards: UnplacedTensor[][] = []
  let room = 0
  for (const tensor of tensors) {
    const bytes = storedBytes(tensor)
    if (shards.length === 0 || (bytes > room && shards.at(-1)!.length > 0)) {
      shards.push([])
      room = shardBytes
    }
    shards.at(-1)!.push(tensor)
    room -= bytes
  }
  if (shards.length === 0) shards.push([])
  const files: PlannedFile[] = []
  const placed: PlannedTensor[] = []
  shards.forEach((shard, file) => {
    const name =
      shards.length === 1 ? 'model.safetensors' : `model-${number(file + 1)}-of-${number(shards.length)}.safetensors`
    const layout = layoutFile(shard, metadata)
    const byteStarts = new Map(layout.tensors.map((entry) => [entry.name, entry.byteStart]))
    files.push({ name, fileBytes: layout.fileBytes, format: 'safetensors', metadata })
    for (const tensor of shard) placed.push({ ...tensor, file, byteStart: byteStarts.get(tensor.name)! })
  })
  return { files, tensors: placed, index: shards.length === 1 ? undefined : indexText(files, placed) }
}

const number = (value: number) => String(value).padStart(5, '0')

function indexText(files: readonly PlannedFile[], tensors: readonly PlannedTensor[]): string {
  const totalBytes = tensors.reduce((sum, tensor) => sum + storedBytes(tensor), 0)
  return formatIndex(new Map(tensors.map(({ name, file }) => [name, files[file]!.name])), { total_size: totalBytes })
}
