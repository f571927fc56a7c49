import { REFLECTIONS, type Reflector } from './kernels/reflections.ts'
import { type Block, blockOf, type Workspace } from './kernels/workspace.ts'
import { dot } from './matrix.ts'

/** Qᵀ·A·Q, which has numbers only on the diagonal and beside it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Of rows i and i + 1; the last one is 0. */
  readonly beside: Float64Array
  /** Half the squared lengths of the vectors of Q's reflections, which stand in the matrix's rows before the diagonal; 0 for none. */
  readonly norms: Float64Array
}

/**
 * Reduces a symmetric matrix, whose lower triangle is read, to tridiagonal form by Householder reflections from the last row up. The
 * matrix then holds the reflections. What one reflection changes is taken off in the pass that multiplies with the next.
 */
export function tridiagonalize(workspace: Workspace, matrix: Block): Tridiagonal {
  const { values } = workspace
  const { rows: size, stride, start: first } = matrix
  const [diagonal, beside, norms] = [0, 1, 2].map(() => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  const [u, p, v, into] = [0, 1, 2, 3].map(() => workspace.matrix(1, size).start) as [number, number, number, number]
  let isPending = false
  for (let row = size - 1; row >= 0; row--) {
    const start = first + row * stride
    if (isPending)
      for (let j = 0; j <= row; j++)
        values[start + j]! -= values[u + row]! * values[p + j]! + values[p + row]! * values[u + j]!
    diagonal[row] = values[start + row]!
    if (row === 0) break
    const head = values[start + row - 1]!
    const tail = dot(values, start, values, start, row - 1)
    const isReflected = tail !== 0
    beside[row - 1] = head
    if (!isReflected && !isPending) continue
    values.fill(0, v, v + row)
    values.fill(0, into, into + row)
    if (isReflected) {
      const norm = Math.sqrt(head * head + tail)
      const moved = head < 0 ? head - norm : head + norm
      beside[row - 1] = head < 0 ? norm : -norm
      norms[row] = (moved * moved + tail) / 2
      // From here on the row holds the reflection's vector.
      values[start + row - 1] = moved
      values.copyWithin(v, start, start + row)
    }
    workspace.sweep(matrix, row & ~1, { u, p, v, into })
    if (row % 2 === 1) sweepRow(values, { row: row - 1, start: start - stride, u, p, v, into })
    if (isReflected) {
      let overlap = 0
      for (let i = 0; i < row; i++) {
        values[into + i]! /= norms[row]!
        overlap += values[into + i]! * values[v + i]!
      }
      const share = overlap / (2 * norms[row]!)
      for (let i = 0; i < row; i++) values[into + i]! -= share * values[v + i]!
      values.copyWithin(u, v, v + row)
      values.copyWithin(p, into, into + row)
    } else {
      values.fill(0, u, u + row)
      values.fill(0, p, p + row)
    }
    isPending = isReflected
  }
  return { diagonal, beside, norms }
}

interface SweptRow extends Readonly<Record<'u' | 'p' | 'v' | 'into', number>> {
  readonly row: number
  readonly start: number
}

/** What the workspace's sweep does with two rows, for one. */
function sweepRow(values: Float64Array, { row, start, u, p, v, into }: SweptRow): void {
  const [ownU, ownP, ownV] = [values[u + row]!, values[p + row]!, values[v + row]!]
  let sum = 0
  for (let j = 0; j <= row; j++) {
    const element = values[start + j]! - (ownU * values[p + j]! + ownP * values[u + j]!)
    values[start + j] = element
    sum += element * values[v + j]!
    if (j < row) values[into + j]! += element * ownV
  }
  values[into + row]! += sum
}

/** Turns rows, eigenvectors of the tridiagonal matrix, into those of the matrix that was reduced. */
export function turnBack(
  reflector: Reflector,
  vectors: Block,
  { matrix, norms }: { readonly matrix: Block; readonly norms: Float64Array },
): void {
  for (let from = 1; from < matrix.rows; from += REFLECTIONS) {
    const to = Math.min(from + REFLECTIONS, matrix.rows)
    const own = norms.subarray(from, to)
    if (own.every((norm) => norm === 0)) continue
    reflector.apply(blockOf(vectors, { rows: vectors.rows, columns: to - 1 }), {
      norms: own,
      load(values, block) {
        for (let row = from; row < to; row++) {
          if (norms[row] === 0) continue
          const start = matrix.start + row * matrix.stride
          values.copyWithin(block.start + (row - from) * block.stride, start, start + row)
        }
      },
    })
  }
}
