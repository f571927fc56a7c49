import { layoutFile } from '@mk/safetensors'
import type { MergePlan, PlannedFile, PlannedTensor } from './merge-plan.ts'

/** A run of bytes of a data file. */
interface FileBytes {
  readonly byteStart: number
  readonly bytes: Uint8Array
}

/** A data file of an output, as far as it is known before any arithmetic. */
export interface DataFile {
  readonly name: string
  readonly fileBytes: number
  /** Header and constants. */
  pieces(): readonly FileBytes[]
}

/** Lists the data files of a plan, going through its tensors once. */
export function listDataFiles({ tensors, files }: Pick<MergePlan, 'tensors' | 'files'>): readonly DataFile[] {
  const inFiles = files.map((): PlannedTensor[] => [])
  for (const tensor of tensors) inFiles[tensor.file]!.push(tensor)
  return files.map((file, index) => ({
    name: file.name,
    fileBytes: file.fileBytes,
    pieces: () => piecesOf(file, inFiles[index]!),
  }))
}

function piecesOf(file: PlannedFile, tensors: readonly PlannedTensor[]): readonly FileBytes[] {
  switch (file.format) {
    case 'safetensors':
      return [{ byteStart: 0, bytes: layoutFile(tensors, file.metadata).header }]
    case 'gguf':
      return file.pieces.map(({ byteStart, base64 }) => ({
        byteStart,
        bytes: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
      }))
    default:
      return file satisfies never
  }
}
