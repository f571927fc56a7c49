import { qr } from '@mk/linalg'
import { describe, expect, it } from 'vitest'
import { drawn, farthest, leftOf, nearestCoefficients, rowOf, useRuntime } from '../__fixtures__/numbers.ts'
import { rowsInMemory } from '../rows/row-store.ts'
import { gaussianMap } from './gaussian.ts'
import { landmarkMap, type LinearMap, prepareMap, sparseBasisMap } from './linear-map.ts'

const runtime = useRuntime()

const apply = async (map: LinearMap, rows: Float32Array, count: number) =>
  (await (await prepareMap(runtime, map, count))(rows, count)).slice()

/** x·Q + shift + noise, for an orthogonal Q of which the leading columns are taken. */
function turned(rows: Float32Array, width: number, outWidth: number, noise: number): Float32Array {
  const size = Math.max(width, outWidth)
  const { q } = qr({ rows: size, columns: size, values: Float64Array.from(drawn(size * size, 11)) })
  const count = rows.length / width
  const noises = drawn(count * outWidth, 12)
  return Float32Array.from({ length: count * outWidth }, (_, index) => {
    const [row, column] = [Math.floor(index / outWidth), index % outWidth]
    let sum = 0.3 * column
    for (let i = 0; i < width; i++) sum += rows[row * width + i]! * q.values[i * size + column]!
    return sum + noise * noises[index]!
  })
}

describe('landmark_pca', () => {
  it('recovers a rotation under noise', async () => {
    const [width, count] = [16, 400]
    const donor = drawn(width * count)
    const model = turned(donor, width, width, 0.3)
    const map = await landmarkMap(runtime, { donor: rowsInMemory(donor, width), model: rowsInMemory(model, width) })
    const fresh = drawn(width * 50, 21)
    const made = await apply(map, fresh, 50)
    const right = turned(fresh, width, width, 0)
    const error = Math.sqrt(made.reduce((sum, value, i) => sum + (value - right[i]!) ** 2, 0) / made.length)
    expect(error).toBeLessThan(0.08)
  })

  it.each([
    [12, 20],
    [20, 12],
  ])('maps %i columns to %i, exactly where rows of the wider side have no more directions', async (from, to) => {
    const low = Math.min(from, to)
    const count = 80
    const core = drawn(low * count)
    const [donor, model] = [turned(core, low, from, 0), turned(core, low, to, 0)]
    const map = await landmarkMap(runtime, { donor: rowsInMemory(donor, from), model: rowsInMemory(model, to) })
    expect(farthest(await apply(map, donor, count), model)).toBeLessThan(1e-4)
  })

  it('leaves directions alone of which fewer tokens than columns say nothing', async () => {
    const donor = drawn(8 * 3)
    const map = await landmarkMap(runtime, { donor: rowsInMemory(donor, 8), model: rowsInMemory(donor, 8) })
    expect(farthest(await apply(map, donor, 3), donor)).toBeLessThan(1e-5)
    expect(map.matrix.every(Number.isFinite)).toBe(true)
  })
})

describe('stb', () => {
  const [narrow, wide, count, k] = [6, 9, 60, 4]
  const [small, large] = [drawn(narrow * count, 31), drawn(wide * count, 32)]

  /** As its definition says, with a basis of the principal directions of the narrower side, in float64. */
  function plain(donor: Float32Array, donorWidth: number, model: Float32Array, modelWidth: number, target: number[]) {
    const center = (values: Float32Array, width: number) => {
      const rows = Array.from({ length: count }, (_, row) => [...rowOf(values, width, row)])
      const mean = rows[0]!.map((_, at) => rows.reduce((sum, row) => sum + row[at]!, 0) / count)
      return { mean, rows: rows.map((row) => row.map((value, at) => value - mean[at]!)) }
    }
    const [d, m] = [center(donor, donorWidth), center(model, modelWidth)]
    const narrower = donorWidth <= modelWidth ? d.rows : m.rows
    const directions = principal(narrower)
    const combinations = directions.map((direction) => {
      const chosen: number[] = []
      let coefficients: number[] = []
      let rest = direction
      for (let step = 0; step < k; step++) {
        const scores = narrower.map((row, index) =>
          chosen.includes(index) ? -1 : Math.abs(row.reduce((sum, value, at) => sum + value * rest[at]!, 0)),
        )
        chosen.push(scores.indexOf(Math.max(...scores)))
        const own = chosen.map((index) => narrower[index]!)
        coefficients = nearestCoefficients(own, direction)
        rest = leftOf(direction, own, coefficients)
      }
      return { chosen, coefficients }
    })
    const basis = (rows: number[][]) =>
      combinations.map(({ chosen, coefficients }) =>
        rows[0]!.map((_, at) =>
          chosen.reduce((sum, index, place) => sum + coefficients[place]! * rows[index]![at]!, 0),
        ),
      )
    const [ofDonor, ofModel] = [basis(d.rows), basis(m.rows)]
    const goal = target.map((value, at) => value - d.mean[at]!)
    const coordinates =
      donorWidth >= ofDonor.length ? nearestCoefficients(ofDonor, goal) : ofDonor.map(() => Number.NaN)
    return m.mean.map((value, at) => coordinates.reduce((sum, each, index) => sum + each * ofModel[index]![at]!, value))
  }

  /** Eigenvectors of the covariance by turning it again and again (Jacobi). */
  function principal(rows: number[][]): number[][] {
    const size = rows[0]!.length
    const a = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0)),
    )
    const v = a.map((_, i) => a.map((_, j) => (i === j ? 1 : 0)))
    for (let sweep = 0; sweep < 30; sweep++)
      for (let p = 0; p < size; p++)
        for (let q = p + 1; q < size; q++) {
          const angle = 0.5 * Math.atan2(2 * a[p]![q]!, a[q]![q]! - a[p]![p]!)
          const [c, s] = [Math.cos(angle), Math.sin(angle)]
          for (const matrix of [a, v])
            for (const row of matrix) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!]
          for (let j = 0; j < size; j++)
            [a[p]![j], a[q]![j]] = [c * a[p]![j]! - s * a[q]![j]!, s * a[p]![j]! + c * a[q]![j]!]
        }
    return a
      .map((row, i) => ({ value: row[i]!, vector: v.map((each) => each[i]!) }))
      .sort((x, y) => y.value - x.value)
      .map(({ vector }) => vector)
  }

  it.each([
    ['wider', small, narrow, large, wide],
    ['narrower', large, wide, small, narrow],
  ])('does what its definition says where the model is %s', async (_, donor, donorWidth, model, modelWidth) => {
    const map = await sparseBasisMap(
      runtime,
      { donor: rowsInMemory(donor, donorWidth), model: rowsInMemory(model, modelWidth) },
      k,
    )
    const target = drawn(donorWidth, 41)
    const expected = plain(donor, donorWidth, model, modelWidth, [...target])
    expect(farthest(await apply(map, target, 1), expected)).toBeLessThan(1e-4)
  })

  it('is the identity where donor and model are the same', async () => {
    const rows = rowsInMemory(small, narrow)
    const map = await sparseBasisMap(runtime, { donor: rows, model: rows }, k)
    const target = drawn(narrow, 42)
    expect(farthest(await apply(map, target, 1), target)).toBeLessThan(1e-5)
  })
})

describe('john_hewitt', () => {
  it.each([
    ['as many directions as columns', 300],
    ['fewer', 5],
  ])('draws with mean and covariance of the rows: %s', async (_, count) => {
    const width = 8
    const rows = drawn(width * count, 51).map((value, index) => value * (1 + (index % width)) + (index % width))
    const map = await gaussianMap(runtime, rowsInMemory(rows, width))
    const draws = 6000
    const made = await apply(map, drawn(width * draws, 52), draws)
    const statistics = (values: Float32Array, many: number) => {
      const mean = Array.from({ length: width }, (_, at) =>
        Array.from({ length: many }, (_, row) => values[row * width + at]!).reduce(
          (sum, value) => sum + value / many,
          0,
        ),
      )
      const covariance = mean.flatMap((_, i) =>
        mean.map((_, j) =>
          Array.from(
            { length: many },
            (_, row) => (values[row * width + i]! - mean[i]!) * (values[row * width + j]! - mean[j]!),
          ).reduce((sum, value) => sum + value / (many - 1), 0),
        ),
      )
      return { mean, covariance }
    }
    const [expected, found] = [statistics(rows, count), statistics(made, draws)]
    const size = Math.max(...expected.covariance)
    expect(farthest(found.covariance, expected.covariance)).toBeLessThan(0.08 * size)
    expect(farthest(found.mean, expected.mean)).toBeLessThan(0.08 * Math.sqrt(size))
  })
})
