import type { FileSource, StridedSource } from './tensor-source.ts'

/** Swaps the last two dimensions of stored elements. @throws RangeError for fewer than two */
export function transposedSource(source: FileSource | StridedSource): StridedSource {
  const { dtype, shape, file, byteStart } = source
  if (shape.length < 2) throw new RangeError(`a tensor of shape [${shape.join(', ')}] has no rows and columns to swap`)
  const strides = source.kind === 'strided' ? source.strides : rowMajorStrides(shape)
  const elementOffset = source.kind === 'strided' ? source.elementOffset : 0
  return { kind: 'strided', dtype, shape: swapped(shape), file, byteStart, elementOffset, strides: swapped(strides) }
}

const rowMajorStrides = (shape: readonly number[]): readonly number[] =>
  shape.map((_, dimension) => shape.slice(dimension + 1).reduce((product, size) => product * size, 1))

const swapped = (sizes: readonly number[]): readonly number[] => [...sizes.slice(0, -2), sizes.at(-1)!, sizes.at(-2)!]
