import { describe, expect, it } from 'vitest'
import { compose, distance, identity, orthogonalityError, random } from './__fixtures__/matrices.ts'
import { createMatrix, type Matrix, multiply, qr, symmetricEigen, transpose } from './index.ts'
import { fittingZ, solveSecular } from './secular.ts'

const symmetric = (size: number, element: (row: number, column: number) => number): Matrix =>
  createMatrix(
    size,
    size,
    Float64Array.from({ length: size * size }, (_, i) => {
      const [row, column] = [Math.floor(i / size), i % size]
      return element(Math.max(row, column), Math.min(row, column))
    }),
  )
const noise = random(300, 300).values

const isSame = (a: Matrix, b: Matrix): boolean => a.values.every((value, i) => Object.is(value, b.values[i]))

/** Spectra that are hard to divide: all alike, in clusters, in pairs, over many magnitudes, of low rank. */
const spectra: Readonly<Record<string, (size: number) => Matrix>> = {
  'any numbers': (size) => symmetric(size, (row, column) => noise[row * size + column]!),
  zeros: (size) => createMatrix(size, size),
  'the identity': identity,
  'ones alone': (size) => symmetric(size, () => 1),
  'second differences': (size) => symmetric(size, (row, column) => [2, -1][row - column] ?? 0),
  'pairs that are equal in all digits': (size) =>
    symmetric(size, (row, column) => [Math.abs(row - (size - 1) / 2), 1][row - column] ?? 0),
  'sixteen magnitudes': (size) => symmetric(size, (row, column) => 10 ** (-(16 * (row + column)) / (2 * size))),
  'a few directions': (size) => multiply(random(size, 5), transpose(random(size, 5))),
  clusters: (size) => {
    const { q } = qr(random(size, size, 7))
    return compose(
      q,
      Array.from({ length: size }, (_, i) => Math.floor(i / 9) + 1e-13 * i),
      q,
    )
  },
  'two that do not meet': (size) =>
    symmetric(size, (row, column) => (row >= size / 2 === column >= size / 2 ? noise[row + 7 * column]! : 0)),
}

describe.each(Object.entries(spectra))('eigenvectors of %s', (_, make) => {
  it.each([1, 33, 66, 131])('of %d rows are orthonormal and give the matrix back', (size) => {
    const matrix = make(size)
    const { values, vectors } = symmetricEigen(matrix)
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(orthogonalityError(vectors)).toBeLessThan(1.5e-14)
    expect(distance(compose(vectors, values, vectors), matrix)).toBeLessThan(1e-14 * (largest || 1))
    expect(values.every((value, i) => i === 0 || value <= values[i - 1]!)).toBe(true)
    expect(isSame(symmetricEigen(matrix).vectors, vectors)).toBe(true)
  })
})

describe('factorizing by panels', () => {
  it.each([
    [1, 1],
    [31, 33],
    [32, 32],
    [33, 31],
    [64, 65],
    [100, 97],
    [97, 140],
    [300, 130],
  ])('gives %d × %d back, also where columns are zero or alike', (rows, columns) => {
    const matrix = random(rows, columns)
    const poor = createMatrix(
      rows,
      columns,
      matrix.values.map((value, i) => ((i % columns) % 3 === 1 ? 0 : (i % columns) % 7 === 3 ? 1 : value)),
    )
    for (const each of [matrix, poor]) {
      const { q, r } = qr(each)
      expect(distance(multiply(q, r), each)).toBeLessThan(1e-14)
      expect(orthogonalityError(q)).toBeLessThan(1e-14)
    }
  })
})

it('large products have the bytes that sums by ascending index have', () => {
  for (const [rows, depth, columns] of [
    [97, 301, 131],
    [1, 1100, 600],
    [5, 600, 258],
  ] as const) {
    const [left, right] = [random(rows, depth), random(depth, columns, 3)]
    const { values } = multiply(left, right)
    for (const at of [0, 1, columns - 1, rows * columns - 1, (rows * columns) >> 1]) {
      let sum = 0
      for (let k = 0; k < depth; k++)
        sum += left.values[Math.floor(at / columns) * depth + k]! * right.values[k * columns + (at % columns)]!
      expect(values[at]).toBe(sum)
    }
  }
  const wide = random(2200, 500)
  const last = multiply(wide, random(500, 8)).values.slice(8 * 2199)
  expect(last).toEqual(multiply(createMatrix(1, 500, wide.values.slice(500 * 2199)), random(500, 8)).values)
})

describe('the secular equation', () => {
  it.each([
    ['poles far apart', [-3, -1, 0, 2, 5], [0.5, 0.1, -0.7, 0.3, 0.4], 2],
    ['poles next to one another', [1, 1 + 4e-16, 1 + 1e-9, 2], [0.5, 0.5, 0.5, 0.5], 1],
    ['a coupling of nearly nothing', [0, 1, 2], [1e-9, 1e-12, 1], 1e-3],
    ['one pole', [4], [-2], 0.25],
  ])('has a root above each pole: %s', (_, poles, z, ρ) => {
    const secular = { poles: Float64Array.from(poles), z: Float64Array.from(z), ρ }
    const rows = poles.map(() => new Float64Array(poles.length))
    const roots = rows.map((row, index) => solveSecular(secular, index, row))
    roots.forEach((root, index) => {
      expect(rows[index]![index]!).toBeLessThan(0)
      expect(rows[index]![index + 1] ?? 1).toBeGreaterThan(0)
      expect(root).toBeCloseTo(poles[index]! - rows[index]![index]!, 14)
    })
    const trace = poles.reduce((sum, pole, i) => sum + pole + ρ * z[i]! ** 2, 0)
    expect(roots.reduce((sum, root) => sum + root, 0)).toBeCloseTo(trace, 12)
    const fitting = fittingZ(secular, (index) => rows[index]!)
    const vectors = rows.map((row) => row.map((difference, i) => fitting[i]! / difference))
    vectors.forEach((a, i) => {
      vectors.slice(0, i).forEach((b) => {
        const [ab, aa, bb] = [
          [a, b],
          [a, a],
          [b, b],
        ].map(([x, y]) => x!.reduce((sum, value, k) => sum + value * y![k]!, 0))
        expect(Math.abs(ab!) / Math.sqrt(aa! * bb!)).toBeLessThan(1e-15 * 4)
      })
    })
  })
})
