import { layoutFile } from '@mk/safetensors'
import type { MergePlan } from './merge-plan.ts'

/** A run of bytes of a data file. */
export interface FileBytes {
  readonly byteStart: number
  readonly bytes: Uint8Array
}

/** Lists what of a data file is known before any arithmetic: header and constants. */
export function filePieces({ tensors, files }: MergePlan, index: number): readonly FileBytes[] {
  const file = files[index]!
  switch (file.format) {
    case 'safetensors': {
      const inFile = tensors.filter((tensor) => tensor.file === index)
      return [{ byteStart: 0, bytes: layoutFile(inFile, file.metadata).header }]
    }
    case 'gguf':
      return file.pieces.map(({ byteStart, base64 }) => ({
        byteStart,
        bytes: Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
      }))
    default:
      return file satisfies never
  }
}
