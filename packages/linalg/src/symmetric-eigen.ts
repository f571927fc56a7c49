import { LinalgError } from './errors.ts'
import { createReflector, reflectorElements } from './kernels/reflections.ts'
import { blockElements, createWorkspace, fillBlock } from './kernels/workspace.ts'
import { type Matrix, scaleOf } from './matrix.ts'
import { orderByValue } from './order.ts'
import { divideTridiagonal } from './tridiagonal-eigen.ts'
import { tridiagonalize, turnBack } from './tridiagonalize.ts'

/** A = V·diag(values)·Vᵀ. */
export interface SymmetricEigen {
  /** Descending. */
  readonly values: Float64Array
  /** Orthonormal columns, in the order of the values. The element of largest magnitude of each is positive. */
  readonly vectors: Matrix
}

/**
 * Decomposes a symmetric matrix, whose lower triangle is read: Householder reduction to tridiagonal form, which is divided and conquered
 * (Golub & Van Loan, Matrix Computations, 8.3 and 8.4). Eigenvalues are right to some 1e-15 of the largest magnitude.
 * @throws LinalgError 'matrix-size' or 'matrix-not-finite'
 */
export function symmetricEigen(matrix: Matrix): SymmetricEigen {
  const { rows: size, columns } = matrix
  if (size !== columns)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the matrix',
      got: `${size} × ${columns}`,
      expected: 'as many rows as columns',
    })
  const scale = scaleOf(matrix.values, 'the matrix')
  const workspace = createWorkspace(
    4 * blockElements(size, size) + 4 * blockElements(1, size) + reflectorElements(size, size),
  )
  const [own, vectors, next, inner] = [0, 1, 2, 3].map(() => workspace.matrix(size, size))
  fillBlock(workspace, own!, matrix.values, scale)
  const { diagonal: d, beside: e, norms } = tridiagonalize(workspace, own!)
  divideTridiagonal(workspace, { vectors: vectors!, next: next!, inner: inner! }, { d, e })
  turnBack(createReflector(workspace, size, size), vectors!, { matrix: own!, norms })
  const { values, vectors: found } = orderByValue(d, workspace, vectors!)
  return { values: values.map((value) => value / scale), vectors: found }
}
