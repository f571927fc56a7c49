import { ggmlTypes } from '@mk/gguf'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { TensorSource } from './tensor-source.ts'

/** Counts the bytes that reading all elements of a source takes from its files, each of its parts once. */
export function sourceBytes(source: TensorSource): number {
  switch (source.kind) {
    case 'file':
    case 'strided':
      return deliveredBytes(source)
    case 'blocks': {
      const { blockElements, blockBytes } = ggmlTypes[source.type]
      return (elementCount(source.shape) / blockElements) * blockBytes
    }
    case 'crop':
      return share(source.source, elementCount(source.shape))
    case 'gather': {
      const columns = elementCount(source.shape.slice(1))
      const rows = source.segments.flatMap((segment) =>
        segment.kind === 'copy'
          ? [{ source: segment.source, count: segment.rowCount }]
          : segment.kind === 'mean'
            ? segment.of.map(({ source }) => ({ source, count: 1 }))
            : [],
      )
      return rows.reduce((sum, { source: part, count }) => sum + share(source.sources[part]!, count * columns), 0)
    }
    case 'halves':
      return sourceBytes(source.source)
    case 'lora':
      return sourceBytes(source.source) + sourceBytes(source.a) + sourceBytes(source.b)
    case 'packed':
      return sourceBytes(source.words) + (source.values.kind === 'stored' ? sourceBytes(source.values.table) : 0)
    case 'dequantized':
      return (
        sourceBytes(source.source) +
        bytesOfPart(source.scale) +
        bytesOfPart(source.groups) +
        bytesOfPart(source.zero) +
        bytesOfPart(source.bias)
      )
    // What a tensor of another merge reads is counted where its own sources are.
    case 'merged':
    case 'values':
      return 0
    default:
      return source satisfies never
  }
}

const bytesOfPart = (part: TensorSource | number | undefined): number =>
  typeof part === 'object' ? sourceBytes(part) : 0

const deliveredBytes = ({ dtype, shape }: TensorSource): number => elementCount(shape) * dtypeBytes(dtype)

/** Of a source of which so many elements are read. */
function share(source: TensorSource, elements: number): number {
  const all = elementCount(source.shape)
  return all === 0 ? 0 : (sourceBytes(source) * elements) / all
}
