import { batchRows } from './batch-rows.ts'
import { createMatrix, type Matrix, symmetricEigen } from '@mk/linalg'
import type { Runtime } from '@mk/tensor/runtime'
import { dotProduct, type RowStore } from '../rows/row-store.ts'
import type { WeightScheme } from '../settings.ts'
import { createCorrelator } from './correlate.ts'
import type { Combination } from './choose.ts'
import type { Pursuit } from './pursuit.ts'

/** How the nearest rows are found and weighed. */
export interface NearestSettings {
  readonly k: number
  readonly cosineSimilarity: boolean
  readonly weightScheme: WeightScheme
}

/** What distances and sums of weights are at least. */
const least = 1e-6
/** Eigenvalues below this share of the largest magnitude are none. */
const noise = 1e-10

/**
 * Prepares combinations of the k nearest rows: nearest by Euclidean distance, or by 1 − cosine, as products with all rows tell and float64
 * decides; the first of equally near ones.
 * @param squaredNorms of the rows
 */
export async function prepareNearest(
  runtime: Runtime,
  rows: RowStore,
  squaredNorms: Float64Array,
  { settings, batchSize }: { readonly settings: NearestSettings; readonly batchSize: number },
): Promise<Pursuit> {
  const { width, rows: count } = rows
  const k = Math.min(settings.k, count)
  const batch = batchRows(rows, batchSize)
  const correlator = await createCorrelator(runtime, rows, batch)
  // Products in float32 don't tell apart what is almost equally near.
  const candidates = Math.min(count, k + Math.max(16, k))
  const near = new Float32Array(candidates * width)
  const scores = new Float64Array(count)
  return {
    batch,
    async solve(targets, targetCount) {
      const correlations = await correlator.correlate(targets, targetCount)
      return Array.from({ length: targetCount }, (_, index) => {
        const target = targets.subarray(index * width, (index + 1) * width)
        for (let i = 0; i < count; i++) {
          const dot = correlations[index * count + i]!
          scores[i] = settings.cosineSimilarity
            ? -dot / Math.max(Math.sqrt(squaredNorms[i]!), 1e-30)
            : squaredNorms[i]! - 2 * dot
        }
        const found = smallest(scores, candidates)
        const squared = dotProduct(target, 0, target, 0, width)
        const distances = new Map(
          found.map((row, place) => {
            const own = near.subarray(place * width, (place + 1) * width)
            rows.read(row, 1, own)
            return [row, distanceOf(own, target, squared, settings.cosineSimilarity)]
          }),
        )
        const atoms = Int32Array.from(
          found.toSorted((a, b) => distances.get(a)! - distances.get(b)! || a - b).slice(0, k),
        )
        const points = new Float32Array(k * width)
        atoms.forEach((row, place) => {
          const from = found.indexOf(row) * width
          points.set(near.subarray(from, from + width), place * width)
        })
        const chosen = { points, target, distances: Float64Array.from(atoms, (row) => distances.get(row)!) }
        return { atoms, coefficients: weigh(chosen, settings) } satisfies Combination
      })
    },
  }
}

function distanceOf(row: Float32Array, target: Float32Array, squared: number, isCosine: boolean): number {
  if (isCosine) {
    const length = Math.sqrt(dotProduct(row, 0, row, 0, row.length) * squared)
    return 1 - (length === 0 ? 0 : dotProduct(row, 0, target, 0, row.length) / length)
  }
  let sum = 0
  for (let i = 0; i < row.length; i++) sum += (row[i]! - target[i]!) ** 2
  return Math.sqrt(sum)
}

/** Finds the indices of the `count` smallest values, the first of equal ones. */
export function smallest(values: Float64Array, count: number): number[] {
  // A heap with the largest of those kept on top.
  const heap = new Int32Array(count)
  let size = 0
  const isAfter = (a: number, b: number) => values[a]! > values[b]! || (values[a] === values[b] && a > b)
  const sink = (start: number) => {
    for (let at = start; ;) {
      let most = at
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < size && isAfter(heap[child]!, heap[most]!)) most = child
      if (most === at) return
      const moved = heap[at]!
      heap[at] = heap[most]!
      heap[most] = moved
      at = most
    }
  }
  for (let i = 0; i < values.length; i++) {
    if (size < count) {
      heap[size++] = i
      if (size === count) for (let at = (count >> 1) - 1; at >= 0; at--) sink(at)
    } else if (values[i]! < values[heap[0]!]!) {
      heap[0] = i
      sink(0)
    }
  }
  return [...heap]
}

interface Neighborhood {
  readonly points: Float32Array
  readonly target: Float32Array
  readonly distances: Float64Array
}

function weigh(near: Neighborhood, { weightScheme, cosineSimilarity }: NearestSettings): Float64Array {
  switch (weightScheme) {
    case 'distance_proportional': {
      const weights = near.distances.map((distance) =>
        cosineSimilarity ? 1 - distance : 1 / Math.max(distance, least),
      )
      const sum = Math.max(
        weights.reduce((all, weight) => all + weight, 0),
        least,
      )
      return weights.map((weight) => weight / sum)
    }
    case 'barycentric':
      return leastSquares(near, true)
    case 'least_squares':
      return leastSquares(near, false)
    default:
      return weightScheme satisfies never
  }
}

/** Solves for the weights that come nearest to the target, by the Gram matrix; bordered, they are to add up to 1. */
function leastSquares({ points, target }: Neighborhood, isBordered: boolean): Float64Array {
  const width = target.length
  const k = points.length / width
  const size = isBordered ? k + 1 : k
  const gram = createMatrix(size, size)
  const right = new Float64Array(size)
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++)
      gram.values[i * size + j] = gram.values[j * size + i] = dotProduct(points, i * width, points, j * width, width)
    right[i] = dotProduct(points, i * width, target, 0, width)
  }
  if (isBordered) {
    for (let i = 0; i < k; i++) gram.values[i * size + k] = gram.values[k * size + i] = 1
    right[k] = 1
  }
  return applyInverse(gram, right).slice(0, k)
}

/** Multiplies with the pseudoinverse of a symmetric matrix. */
function applyInverse(matrix: Matrix, right: Float64Array): Float64Array {
  const { values, vectors } = symmetricEigen(matrix)
  const size = right.length
  const most = values.reduce((all, value) => Math.max(all, Math.abs(value)), 0)
  const result = new Float64Array(size)
  for (let j = 0; j < size; j++) {
    if (Math.abs(values[j]!) <= noise * most) continue
    let share = 0
    for (let i = 0; i < size; i++) share += vectors.values[i * size + j]! * right[i]!
    share /= values[j]!
    for (let i = 0; i < size; i++) result[i]! += vectors.values[i * size + j]! * share
  }
  return result
}
