import { ggmlBytes } from '@mk/gguf'
import { dtypeBytes } from '@mk/safetensors'
import { gatherSource } from './gather-source.ts'
import type { TensorSource } from './tensor-source.ts'

/** Which matrix of a stack of them, and which of its rows. */
export interface MatrixRows {
  readonly index: number
  readonly rowStart: number
  readonly rowCount: number
}

/**
 * Takes rows of one matrix out of a stack of matrices, such as the gate of one expert.
 * @param source of shape [matrices, rows, columns]
 * @returns a source of shape [rowCount, columns]; undefined for what is made of other tensors' rows or factors
 */
export function matrixSource(
  source: TensorSource,
  { index, rowStart, rowCount }: MatrixRows,
): TensorSource | undefined {
  const [matrices, rows, columns] = source.shape
  if (source.shape.length !== 3 || index >= matrices! || rowStart + rowCount > rows!)
    throw new RangeError(
      `rows ${rowStart} to ${rowStart + rowCount} of matrix ${index} of [${source.shape.join(', ')}]`,
    )
  const shape = [rowCount, columns!]
  switch (source.kind) {
    case 'file':
      return {
        ...source,
        shape,
        byteStart: source.byteStart + (index * rows! + rowStart) * columns! * dtypeBytes(source.dtype),
      }
    case 'strided': {
      const [ofMatrix, ofRow] = source.strides as [number, number]
      const elementOffset = source.elementOffset + index * ofMatrix + rowStart * ofRow
      return { ...source, shape, elementOffset, strides: source.strides.slice(1) }
    }
    case 'blocks':
      return {
        ...source,
        shape,
        byteStart: source.byteStart + ggmlBytes(source.type, [index * rows! + rowStart, columns!])!,
      }
    // Rows of a gather are runs of elements, so that those of all matrices count through.
    case 'packed':
    case 'dequantized':
    case 'merged': {
      const segments = [{ kind: 'copy', rowCount, source: 0, row: index * rows! + rowStart }] as const
      return gatherSource({ dtype: source.dtype, shape, segments, sourceOf: () => source })
    }
    case 'crop':
    case 'halves':
    case 'gather':
    case 'lora':
    case 'values':
      return undefined
    default:
      return source satisfies never
  }
}
