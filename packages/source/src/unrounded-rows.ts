import type { GatherSegment, GatherSource, TensorSource } from './tensor-source.ts'

/**
 * Makes a source for arithmetic of one that rounds rows: means, and rows of another dtype. It delivers in float32, so that they are not
 * rounded to the dtype of the other rows before the arithmetic rounds. Other sources are given back as they are; those in float64 keep it.
 */
export function withUnroundedRows(source: TensorSource): TensorSource {
  switch (source.kind) {
    case 'gather': {
      const isWide = source.dtype === 'F32' || source.dtype === 'F64'
      const rounds = source.segments.some((segment) => isRounded(segment, source))
      return isWide || !rounds ? source : { ...source, dtype: 'F32' }
    }
    case 'crop': {
      const inner = withUnroundedRows(source.source)
      return inner === source.source ? source : { ...source, source: inner, dtype: inner.dtype }
    }
    case 'file':
    case 'strided':
    case 'lora':
    case 'blocks':
    case 'halves':
    case 'packed':
    case 'dequantized':
    case 'merged':
    case 'values':
      return source
    default:
      return source satisfies never
  }
}

function isRounded(segment: GatherSegment, { sources, dtype }: GatherSource): boolean {
  const isOther = ({ source }: { readonly source: number }) => sources[source]!.dtype !== dtype
  switch (segment.kind) {
    case 'copy':
      return isOther(segment)
    // The mean of one row is that row.
    case 'mean':
      return segment.of.length > 1 || segment.of.some(isOther)
    case 'mean-of-others':
      return true
    case 'zero':
      return false
    default:
      return segment satisfies never
  }
}
