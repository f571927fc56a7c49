import { describe, expect, it } from 'vitest'
import {
  compose,
  decompositions,
  distance,
  identity,
  ofRows,
  orthogonalityError,
  random,
} from './__fixtures__/matrices.ts'
import {
  cholesky,
  createMatrix,
  type Matrix,
  multiply,
  qr,
  scaleColumns,
  solvePositive,
  svd,
  symmetricEigen,
  transpose,
} from './index.ts'

const largest = ({ values }: Matrix) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
const gram = (matrix: Matrix) => multiply(transpose(matrix), matrix)
const plusIdentity = (matrix: Matrix) =>
  createMatrix(
    matrix.rows,
    matrix.rows,
    matrix.values.map((value, i) => value + identity(matrix.rows).values[i]!),
  )

describe.each(decompositions)('a matrix: $name', ({ matrix, singular, eigen, right, solution }) => {
  const size = largest(matrix)

  it('is the product of an orthonormal and a triangular one', () => {
    const { q, r } = qr(matrix)
    expect(distance(multiply(q, r), matrix)).toBeLessThan(1e-14 * size)
    expect(orthogonalityError(q)).toBeLessThan(1e-14)
    for (let row = 0; row < r.rows; row++) {
      expect(r.values[row * r.columns + row]).toBeGreaterThanOrEqual(0)
      for (let column = 0; column < row; column++) expect(r.values[row * r.columns + column]).toBe(0)
    }
  })

  it('has the singular values that numpy finds, and orthonormal vectors', () => {
    const { u, values, v } = svd(matrix)
    expect(values.length).toBe(singular.length)
    singular.forEach((value, i) => expect(Math.abs(values[i]! - value)).toBeLessThan(1e-14 * singular[0]!))
    expect(orthogonalityError(u)).toBeLessThan(1e-14)
    expect(orthogonalityError(v)).toBeLessThan(1e-14)
    expect(distance(compose(u, values, v), matrix)).toBeLessThan(2e-14 * size)
  })

  it.runIf(eigen)('has a Gram matrix with the eigenvalues that numpy finds', () => {
    const { values, vectors } = symmetricEigen(gram(matrix))
    eigen!.forEach((value, i) => expect(Math.abs(values[i]! - value)).toBeLessThan(2e-14 * eigen![0]!))
    expect(orthogonalityError(vectors)).toBeLessThan(1e-14)
    expect(distance(compose(vectors, values, vectors), gram(matrix))).toBeLessThan(2e-14 * eigen![0]!)
  })

  it.runIf(solution)('solves as numpy does', () => {
    const found = solvePositive(plusIdentity(gram(matrix)), right!)
    expect(distance(found, solution!)).toBeLessThan(1e-12 * Math.max(1, largest(solution!)))
  })
})

describe('decompositions', () => {
  it('hold for larger matrices, where rows are prepared by eigenvectors', () => {
    for (const matrix of [random(90, 70), random(66, 80), multiply(random(80, 5), random(5, 90))]) {
      const { u, values, v } = svd(matrix)
      expect(distance(compose(u, values, v), matrix)).toBeLessThan(1e-13)
      expect(Math.max(orthogonalityError(u), orthogonalityError(v))).toBeLessThan(1e-13)
    }
    const factors = Float64Array.from({ length: 80 }, (_, i) => 10 ** (-i / 5))
    const graded = compose(qr(random(80, 80)).q, factors, qr(random(80, 80, 9)).q)
    svd(graded).values.forEach((value, i) => expect(Math.abs(value - factors[i]!)).toBeLessThan(5e-14))
  })

  it('give the same bytes each time, with the largest element of a vector positive', () => {
    const matrix = random(30, 20)
    const [first, second] = [svd(matrix), svd(matrix)]
    expect(first).toEqual(second)
    for (const vectors of [first.u, symmetricEigen(gram(matrix)).vectors]) {
      for (let column = 0; column < vectors.columns; column++) {
        const values = Array.from({ length: vectors.rows }, (_, row) => vectors.values[row * vectors.columns + column]!)
        expect(Math.max(...values)).toBe(Math.max(...values.map(Math.abs)))
      }
    }
  })

  it('take zeros, a single element, and nothing', () => {
    const zero = svd(createMatrix(5, 3))
    expect([...zero.values]).toEqual([0, 0, 0])
    expect(Math.max(orthogonalityError(zero.u), orthogonalityError(zero.v))).toBe(0)
    const one = svd(ofRows([[-2]]))
    expect([one.u.values[0], one.values[0], one.v.values[0]]).toEqual([1, 2, -1])
    expect(svd(createMatrix(0, 4)).values.length).toBe(0)
    expect(qr(createMatrix(4, 0)).q.values.length).toBe(0)
    expect(symmetricEigen(createMatrix(0, 0)).values.length).toBe(0)
    expect([...symmetricEigen(createMatrix(3, 3)).values]).toEqual([0, 0, 0])
  })

  it('read the lower triangle of a symmetric matrix only', () => {
    const full = ofRows([
      [4, 1],
      [1, 3],
    ])
    const lower = ofRows([
      [4, 99],
      [1, 3],
    ])
    expect(symmetricEigen(lower)).toEqual(symmetricEigen(full))
    expect(cholesky(lower)).toEqual(cholesky(full))
  })

  it('leave their operands as they are', () => {
    const matrix = gram(random(70, 6))
    const before = matrix.values.slice()
    qr(matrix)
    svd(matrix)
    symmetricEigen(matrix)
    solvePositive(matrix, random(6, 2))
    expect(matrix.values).toEqual(before)
  })

  it('refuse NaN, infinity and sizes that do not fit', () => {
    const bad = ofRows([
      [1, NaN],
      [Infinity, 2],
    ])
    for (const decompose of [qr, svd, symmetricEigen, cholesky])
      expect(() => decompose(bad)).toThrow(/has 2 elements that are NaN or infinite, expected finite numbers/)
    expect(() => solvePositive(identity(2), ofRows([[NaN], [1]]))).toThrow(/the right side has 1 element that/)
    expect(() => symmetricEigen(createMatrix(2, 3))).toThrow('the matrix is 2 × 3, expected as many rows as columns')
    expect(() => cholesky(createMatrix(2, 3))).toThrow('the matrix is 2 × 3')
    expect(() => solvePositive(identity(2), createMatrix(3, 1))).toThrow('the right side is 3 × 1, expected 2 rows')
    expect(() => multiply(identity(2), identity(3))).toThrow('the right factor is 3 × 3, expected 2 rows')
    expect(() => createMatrix(2, 2, new Float64Array(3))).toThrow('the number of values is 3, expected 2 × 2')
    expect(() => cholesky(scaleColumns(identity(3), [1, -1, 1]))).toThrow('not positive definite: pivot 1 is -1')
  })
})
