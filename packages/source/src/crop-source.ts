import type { TensorSource } from './tensor-source.ts'

/** Takes the leading sub-matrix of a source: of each dimension the first `shape[i]` indices. The source itself where that is all. */
export function cropSource(source: TensorSource, shape: readonly number[]): TensorSource {
  return source.shape.join() === shape.join() ? source : { kind: 'crop', dtype: source.dtype, shape, source }
}
