import { expect, it } from 'vitest'
import { drawn, nearestCoefficients, rowOf, solve, useRuntime } from '../__fixtures__/numbers.ts'
import { rowsInMemory } from '../rows/row-store.ts'
import { type NearestSettings, prepareNearest, smallest } from './nearest.ts'

const runtime = useRuntime()
const [width, count, k] = [20, 120, 6]
const atoms = drawn(width * count)
const target = drawn(width, 2)
const rows = Array.from({ length: count }, (_, row) => [...rowOf(atoms, width, row)])
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0)
const norms = Float64Array.from(rows, (row) => dot(row, row))

/** All of it as its definition says. */
function plain({ cosineSimilarity, weightScheme }: NearestSettings) {
  const goal = [...target]
  const distances = rows.map((row, index) =>
    cosineSimilarity
      ? 1 - dot(row, goal) / Math.sqrt(norms[index]! * dot(goal, goal))
      : Math.sqrt(row.reduce((sum, value, at) => sum + (value - goal[at]!) ** 2, 0)),
  )
  const chosen = rows
    .map((_, index) => index)
    .sort((a, b) => distances[a]! - distances[b]!)
    .slice(0, k)
  const points = chosen.map((index) => rows[index]!)
  if (weightScheme === 'least_squares') return { chosen, weights: nearestCoefficients(points, goal) }
  if (weightScheme === 'barycentric') {
    const gram = points.map((a) => [...points.map((b) => dot(a, b)), 1])
    return {
      chosen,
      weights: solve([...gram, [...points.map(() => 1), 0]], [...points.map((point) => dot(point, goal)), 1]).slice(
        0,
        k,
      ),
    }
  }
  const raw = chosen.map((index) => (cosineSimilarity ? 1 - distances[index]! : 1 / distances[index]!))
  const sum = raw.reduce((all, value) => all + value, 0)
  return { chosen, weights: raw.map((value) => value / sum) }
}

const schemes = ['distance_proportional', 'barycentric', 'least_squares'] as const

it.each(schemes.flatMap((scheme) => [[scheme, false] as const, [scheme, true] as const]))(
  'weighs the nearest by %s, by angle: %s',
  async (weightScheme, cosineSimilarity) => {
    const settings = { k, weightScheme, cosineSimilarity }
    const pursuit = await prepareNearest(runtime, rowsInMemory(atoms, width), norms, { settings, batchSize: 1 })
    const [found] = await pursuit.solve(target, 1)
    const expected = plain(settings)
    expect([...found!.atoms]).toEqual(expected.chosen)
    found!.coefficients.forEach((weight, place) => expect(weight).toBeCloseTo(expected.weights[place]!, 6))
  },
)

it('gives a token that is there its own row', async () => {
  const settings = { k: 3, weightScheme: 'distance_proportional', cosineSimilarity: false } as const
  const pursuit = await prepareNearest(runtime, rowsInMemory(atoms, width), norms, { settings, batchSize: 0 })
  const [found] = await pursuit.solve(rowOf(atoms, width, 17).slice(), 1)
  expect(found!.atoms[0]).toBe(17)
  expect(found!.coefficients[0]).toBeGreaterThan(0.99999)
})

it('takes all rows where there are fewer than k, and copes with equal ones', async () => {
  const same = Float32Array.of(1, 2, 1, 2, 1, 2)
  for (const weightScheme of schemes) {
    const settings = { k: 64, weightScheme, cosineSimilarity: false }
    const pursuit = await prepareNearest(runtime, rowsInMemory(same, 2), Float64Array.of(5, 5, 5), {
      settings,
      batchSize: 0,
    })
    const [found] = await pursuit.solve(Float32Array.of(1, 2), 1)
    expect([...found!.atoms]).toEqual([0, 1, 2])
    found!.coefficients.forEach((weight) => expect(weight).toBeCloseTo(1 / 3, 9))
  }
})

it('finds the smallest values, the first of equal ones', () => {
  const values = Float64Array.of(3, 1, 2, 1, 5, 1)
  expect(smallest(values, 2).sort()).toEqual([1, 3])
  expect(smallest(values, 6).sort()).toEqual([0, 1, 2, 3, 4, 5])
})
