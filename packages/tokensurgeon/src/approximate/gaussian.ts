import { cholesky, createMatrix, type Matrix, symmetricEigen } from '@mk/linalg'
import type { Runtime } from '@mk/tensor/runtime'
import { hasCode } from '@mk/errors'
import type { RowStore } from '../rows/row-store.ts'
import { crossProduct, type LinearMap, meanOfRows } from './linear-map.ts'

/**
 * Finds the map that makes rows with the mean and the covariance of a matrix's rows of independent normally distributed numbers (Hewitt
 * 2021, Initializing New Word Embeddings for Pretrained Language Models).
 */
export async function gaussianMap(runtime: Runtime, rows: RowStore): Promise<LinearMap> {
  const mean = await meanOfRows(rows)
  const products = await crossProduct(runtime, [rows, rows], [mean, mean])
  const covariance = products.values.map((value) => value / Math.max(1, rows.rows - 1))
  const matrix = rootOf(createMatrix(rows.width, rows.width, covariance))
  return { donorMean: new Float64Array(rows.width), modelMean: mean, matrix }
}

/** R with RᵀR = A. */
function rootOf(matrix: Matrix): Float32Array {
  const { rows: size } = matrix
  const root = new Float32Array(size * size)
  try {
    const { values } = cholesky(matrix)
    for (let row = 0; row < size; row++)
      for (let column = 0; column <= row; column++) root[column * size + row] = values[row * size + column]!
  } catch (error) {
    if (!hasCode(error, 'not-positive-definite')) throw error
    // Fewer rows than columns have no spread in some directions.
    const { values, vectors } = symmetricEigen(matrix)
    for (let j = 0; j < size; j++) {
      const deviation = Math.sqrt(Math.max(0, values[j]!))
      for (let row = 0; row < size; row++) root[j * size + row] = vectors.values[row * size + j]! * deviation
    }
  }
  return root
}
