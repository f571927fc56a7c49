import {
  createMatrix,
  leadingColumns,
  type Matrix,
  multiply,
  polarFactor,
  svd,
  symmetricEigen,
  transpose,
} from '@mk/linalg'
import type { Runtime } from '@mk/tensor/runtime'
import { allocateFloats, blockRows, bytesOf, eachBlock, type RowStore } from '../rows/row-store.ts'
import { preparePursuit } from './pursue.ts'

/** x ↦ modelMean + (x − donorMean)·matrix. */
export interface LinearMap {
  readonly donorMean: Float64Array
  readonly modelMean: Float64Array
  /** [width of DONOR × width of MODEL] */
  readonly matrix: Float32Array
}

/** Rows of tokens that both models have, in the same order. */
export interface SharedRows {
  readonly donor: RowStore
  readonly model: RowStore
}

/** Up to this size a polar factor is taken from an exact decomposition. */
const exactSize = 384
/** Directions below this share of the largest are none. */
const noise = 1e-10

/** Computes the mean of all rows, in float64. */
export async function meanOfRows(rows: RowStore): Promise<Float64Array> {
  const { width } = rows
  const mean = new Float64Array(width)
  await eachBlock(rows, new Float32Array(blockRows(width) * width), (block, _, count) => {
    for (let row = 0; row < count; row++)
      for (let column = 0; column < width; column++) mean[column]! += block[row * width + column]!
  })
  return mean.map((sum) => sum / rows.rows)
}

/** Computes Σ (x − mean x)ᵀ(y − mean y) over pairs of rows: [width of x × width of y]. */
export async function crossProduct(
  runtime: Pick<Runtime, 'compileProduct'>,
  [x, y]: readonly [RowStore, RowStore],
  [xMean, yMean]: readonly [Float64Array, Float64Array],
): Promise<Matrix> {
  const kernel = await runtime.compileProduct({
    left: { dtype: 'F32', transposed: true },
    right: { dtype: 'F32', transposed: false },
    result: 'F64',
  })
  const sum = createMatrix(x.width, y.width)
  // Sums are cut where they may be, so that blocks of other sizes would give the same bytes.
  const rows = Math.max(256, Math.floor(Math.min(blockRows(x.width), blockRows(y.width)) / 256) * 256)
  const [left, right] = [new Float32Array(rows * x.width), new Float32Array(rows * y.width)]
  for (let first = 0; first < x.rows; first += rows) {
    const count = Math.min(rows, x.rows - first)
    for (const [store, mean, block] of [
      [x, xMean, left],
      [y, yMean, right],
    ] as const) {
      store.read(first, count, block.subarray(0, count * store.width))
      for (let i = 0; i < count * store.width; i++) block[i]! -= mean[i % store.width]!
    }
    await kernel.run({
      rows: x.width,
      columns: y.width,
      depth: count,
      left: bytesOf(left),
      right: bytesOf(right),
      into: bytesOf(sum.values),
      add: true,
    })
  }
  return sum
}

/**
 * Finds the map of `landmark_pca`: the rotation that brings the shared rows of DONOR nearest to those of MODEL (orthogonal Procrustes,
 * Schönemann 1966), the wider side reduced to its leading principal components before, as many as the narrower one has columns.
 */
export async function landmarkMap(runtime: Runtime, { donor, model }: SharedRows): Promise<LinearMap> {
  const [donorMean, modelMean] = [await meanOfRows(donor), await meanOfRows(model)]
  const cross = await crossProduct(runtime, [donor, model], [donorMean, modelMean])
  const rank = Math.min(donor.width, model.width)
  const isDonorWider = donor.width > rank
  const wider = isDonorWider ? donor : model
  if (wider.width === rank) return { donorMean, modelMean, matrix: await rotationOf(runtime, cross) }
  const mean = isDonorWider ? donorMean : modelMean
  const covariance = await crossProduct(runtime, [wider, wider], [mean, mean])
  const axes = leadingColumns(symmetricEigen(covariance).vectors, rank)
  const reduced = isDonorWider ? multiply(transpose(axes), cross) : multiply(cross, axes)
  const rotation = createMatrix(rank, rank, Float64Array.from(await rotationOf(runtime, reduced)))
  const whole = isDonorWider ? multiply(axes, rotation) : multiply(rotation, transpose(axes))
  return { donorMean, modelMean, matrix: Float32Array.from(whole.values) }
}

/** U·Vᵀ of U·Σ·Vᵀ; directions that no shared row has stay zero. */
async function rotationOf(runtime: Runtime, { rows, columns, values }: Matrix): Promise<Float32Array> {
  if (rows > exactSize)
    return (await polarFactor(runtime, { rows, columns, values: Float32Array.from(values) }, { least: 1e-5 })).factor
      .values
  const found = svd({ rows, columns, values })
  const used = found.values.filter((value) => value > noise * found.values[0]!).length
  const product = multiply(leadingColumns(found.u, used), transpose(leadingColumns(found.v, used)))
  return Float32Array.from(product.values)
}

/**
 * Finds the map of `stb`: principal directions of the narrower side, each written as a sparse combination of shared tokens (by orthogonal
 * matching pursuit, with k of them), are the same combinations on both sides; a row's coordinates in the basis of DONOR, by least squares,
 * are taken in that of MODEL.
 */
export async function sparseBasisMap(runtime: Runtime, { donor, model }: SharedRows, k: number): Promise<LinearMap> {
  const [donorMean, modelMean] = [await meanOfRows(donor), await meanOfRows(model)]
  const isDonorNarrower = donor.width <= model.width
  const [narrower, mean] = isDonorNarrower ? [donor, donorMean] : [model, modelMean]
  const size = narrower.width
  const covariance = await crossProduct(runtime, [narrower, narrower], [mean, mean])
  const directions = Float32Array.from(transpose(symmetricEigen(covariance).vectors).values)
  const atoms: RowStore = {
    ...narrower,
    read(first, count, into) {
      narrower.read(first, count, into)
      for (let i = 0; i < count * size; i++) into[i]! -= mean[i % size]!
    },
  }
  const pursuit = await preparePursuit(runtime, { atoms, k })
  const [donorBasis, modelBasis] = [createMatrix(size, donor.width), createMatrix(size, model.width)]
  for (let first = 0; first < size; first += pursuit.batch) {
    const count = Math.min(pursuit.batch, size - first)
    const found = await pursuit.solve(directions.subarray(first * size, (first + count) * size), count)
    found.forEach(({ atoms: chosen, coefficients }, index) => {
      for (const [store, center, basis] of [
        [donor, donorMean, donorBasis],
        [model, modelMean, modelBasis],
      ] as const) {
        const into = basis.values.subarray((first + index) * store.width, (first + index + 1) * store.width)
        const row = new Float32Array(store.width)
        chosen.forEach((atom, place) => {
          store.read(atom, 1, row)
          for (let i = 0; i < row.length; i++) into[i]! += coefficients[place]! * (row[i]! - center[i]!)
        })
      }
    })
  }
  return { donorMean, modelMean, matrix: Float32Array.from(multiply(pseudoinverse(donorBasis), modelBasis).values) }
}

/** Of a matrix with no more rows than columns: [columns × rows]. */
function pseudoinverse(matrix: Matrix): Matrix {
  const turned = transpose(matrix)
  const { values, vectors } = symmetricEigen(multiply(matrix, turned))
  const size = matrix.rows
  const scaled = createMatrix(size, size)
  for (let row = 0; row < size; row++)
    for (let j = 0; j < size; j++)
      if (values[j]! > noise * values[0]!) scaled.values[row * size + j] = vectors.values[row * size + j]! / values[j]!
  return multiply(turned, multiply(scaled, transpose(vectors)))
}

/** Prepares a map for up to `most` rows at once. */
export async function prepareMap(
  runtime: Runtime,
  { donorMean, modelMean, matrix }: LinearMap,
  most: number,
): Promise<(targets: Float32Array, count: number) => Promise<Float32Array>> {
  const [depth, columns] = [donorMean.length, modelMean.length]
  const kernel = await runtime.compileProduct({
    left: { dtype: 'F32', transposed: false },
    right: { dtype: 'F32', transposed: false },
    result: 'F32',
  })
  const centered = allocateFloats(runtime, most * depth)
  const results = allocateFloats(runtime, most * columns)
  return async (targets, count) => {
    for (let i = 0; i < count * depth; i++) centered[i] = targets[i]! - donorMean[i % depth]!
    const into = results.subarray(0, count * columns)
    const [left, right] = [bytesOf(centered.subarray(0, count * depth)), bytesOf(matrix)]
    await kernel.run({ rows: count, columns, depth, left, right, into: bytesOf(into) })
    for (let i = 0; i < into.length; i++) into[i]! += modelMean[i % columns]!
    return into
  }
}
