import { elementCount as countElements } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import type { Lowered } from './lower.ts'

/**
 * Finds the columns of the matrix that a stage sees its tensor as: `columns` if given, else what its vectors have the length
 * for, else the last dimension.
 * @throws TensorError if the vectors don't fit the tensor or one another, or `columns` doesn't divide it
 */
export function matrixColumns({ program, vectors }: Lowered, shape: readonly number[], columns?: number): number {
  const elementCount = countElements(shape)
  let known = columns
  vectors.forEach(({ length }, slot) => {
    const per = program.vectors[slot]!
    const implied = elementCount === 0 ? known : per === 'column' ? length : elementCount / length
    known ??= implied
    if (implied !== known || (elementCount > 0 && (length === 0 || !Number.isInteger(elementCount / length)))) {
      throw new TensorError({
        code: 'vector-length',
        per,
        length,
        elementCount,
        columns: known === implied ? undefined : known,
      })
    }
  })
  known ??= shape.at(-1) ?? 1
  if (elementCount > 0 && !(Number.isInteger(known) && known > 0 && elementCount % known === 0))
    throw new TensorError({ code: 'matrix-columns', columns: known, elementCount })
  return known
}
