import type { DenseMatrix, Expression } from '@mk/tensor'
import type { MethodContext } from '../declare/define-method.ts'
import { scaleColumns, type ShorterSide } from './shorter-side.ts'

/** The leading singular directions of some matrices that stream, all in the order of the matrices. */
export interface LeadingDirections {
  /** For each matrix A what makes left singular vectors of it: A·maker = U. short × r, r the number of directions of it. */
  readonly makers: readonly DenseMatrix[]
  /** The right singular vectors of all, side by side: short × Σr. */
  readonly right: DenseMatrix
  /** The singular values of all. */
  readonly values: Float64Array
  /** UᵀU of the left singular vectors of all, side by side. */
  readonly leftGram: DenseMatrix
}

/** Eigenvalues of a Gram matrix below this share of the largest tell nothing of what they belong to, yet. */
const UNKNOWN = 1e-12
/** Singular values below this share of the largest are what rounding leaves of nothing. */
const NOTHING = 1e-5

/**
 * Finds the leading singular values and vectors of matrices that are never held: right vectors by the eigenvectors of Gram matrices, and
 * values by the lengths of what these make of the matrices, which are right where those of the Gram matrices aren't any more.
 * @param grams of the matrices, finite
 * @param most directions of each; those that have a singular value of 0 are none
 */
export async function leadingDirections(
  matrices: readonly Expression[],
  grams: readonly DenseMatrix[],
  most: number,
  { side, context }: { readonly side: ShorterSide; readonly context: MethodContext },
): Promise<LeadingDirections> {
  const { products, linalg } = context
  const found = await Promise.all(
    grams.map(async (gram) => {
      const { values, vectors } = await linalg.symmetricEigen(gram)
      const count = values.subarray(0, most).filter((value) => value > UNKNOWN * values[0]!).length
      return { vectors: columnsOf(vectors, indicesTo(count)), singular: values.subarray(0, count).map(Math.sqrt) }
    }),
  )
  const makers = found.map(({ vectors, singular }) =>
    scaleColumns(
      vectors,
      singular.map((value) => 1 / value),
    ),
  )
  const lefts = matrices.map((matrix, i) => side.times(matrix, makers[i]!))
  const pairs = lefts.flatMap((left, i) =>
    lefts.slice(0, i + 1).map((other, j) => [`${i} ${j}`, side.cross(left, other)] as const),
  )
  const blocks = await products(Object.fromEntries(pairs))
  // Lengths that aren't 1 are singular values that the Gram matrix had wrong.
  const lengths = found.map(({ singular }, i) => {
    const { values } = blocks[`${i} ${i}`]!
    return singular.map((_, at) => Math.sqrt(values[at * (singular.length + 1)]!))
  })
  const values = found.map(({ singular }, i) => singular.map((value, at) => value * lengths[i]![at]!))
  const kept = values.map((ofMatrix) => {
    const largest = ofMatrix.reduce((a, b) => Math.max(a, b), 0)
    return indicesTo(ofMatrix.length).filter((at) => ofMatrix[at]! > NOTHING * largest)
  })
  const inverse = lengths.map((ofMatrix) => ofMatrix.map((length) => (length > 0 ? 1 / length : 0)))
  return {
    makers: makers.map((maker, i) => columnsOf(scaleColumns(maker, inverse[i]!), kept[i]!)),
    right: sideBySide(
      found.map(({ vectors }, i) => columnsOf(vectors, kept[i]!)),
      side.short,
    ),
    values: Float64Array.from(kept.flatMap((ofMatrix, i) => ofMatrix.map((at) => values[i]![at]!))),
    leftGram: assemble(blocks, { kept, inverse }),
  }
}

/** Puts the blocks of a symmetric matrix together, of those rows and columns that are kept, each times its factor. */
function assemble(
  blocks: Readonly<Record<string, DenseMatrix>>,
  { kept, inverse }: { readonly kept: readonly (readonly number[])[]; readonly inverse: readonly Float64Array[] },
): DenseMatrix {
  const starts = kept.map((_, i) => kept.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  const size = kept.reduce((sum, { length }) => sum + length, 0)
  const values = new Float64Array(size * size)
  for (const [i, rows] of kept.entries())
    for (let j = 0; j <= i; j++) {
      const block = blocks[`${i} ${j}`]!
      for (const [r, row] of rows.entries())
        for (const [c, column] of kept[j]!.entries()) {
          const value = block.values[row * block.columns + column]! * inverse[i]![row]! * inverse[j]![column]!
          const [at, across] = [starts[i]! + r, starts[j]! + c]
          values[at * size + across] = value
          values[across * size + at] = value
        }
    }
  return { rows: size, columns: size, values }
}

const indicesTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function columnsOf({ rows, columns, values }: DenseMatrix, which: readonly number[]): DenseMatrix {
  const taken = new Float64Array(rows * which.length)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < which.length; i++) taken[row * which.length + i] = values[row * columns + which[i]!]!
  return { rows, columns: which.length, values: taken }
}

function sideBySide(matrices: readonly DenseMatrix[], rows: number): DenseMatrix {
  const columns = matrices.reduce((sum, matrix) => sum + matrix.columns, 0)
  const values = new Float64Array(rows * columns)
  let start = 0
  for (const matrix of matrices) {
    for (let row = 0; row < rows; row++)
      values.set(matrix.values.subarray(row * matrix.columns, (row + 1) * matrix.columns), row * columns + start)
    start += matrix.columns
  }
  return { rows, columns, values }
}
