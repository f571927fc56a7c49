import { describe, expect, it } from 'vitest'
import { drawn, farthest, leftOf, nearestCoefficients, rowOf, useRuntime } from '../__fixtures__/numbers.ts'
import { rowsInMemory } from '../rows/row-store.ts'
import { createCorrelator } from './correlate.ts'
import { paysGram, preparePursuit } from './pursue.ts'

const runtime = useRuntime()

/** Orthogonal matching pursuit as its definition says, in float64. */
function plainPursuit(atoms: Float32Array, width: number, target: Float32Array, k: number) {
  const rows = Array.from({ length: atoms.length / width }, (_, row) => [...rowOf(atoms, width, row)])
  const chosen: number[] = []
  let coefficients: number[] = []
  let rest = [...target]
  for (let step = 0; step < k; step++) {
    const scores = rows.map((row, index) =>
      chosen.includes(index) ? -1 : Math.abs(row.reduce((sum, value, at) => sum + value * rest[at]!, 0)),
    )
    chosen.push(scores.indexOf(Math.max(...scores)))
    const own = chosen.map((index) => rows[index]!)
    coefficients = nearestCoefficients(own, [...target])
    rest = leftOf([...target], own, coefficients)
  }
  return { chosen, coefficients }
}

async function gramOf(atoms: Float32Array, width: number) {
  const store = rowsInMemory(atoms, width)
  const correlator = await createCorrelator(runtime, store, store.rows)
  return rowsInMemory((await correlator.correlate(atoms, store.rows)).slice(), store.rows)
}

/** Rows with much in common, as embeddings have. */
function alike(rows: number, width: number): Float32Array {
  const values = drawn(rows * width, 5)
  const common = drawn(width, 6)
  return values.map((value, index) => value * (0.5 + (index % 7) / 7) + 0.7 * common[index % width]!)
}

describe.each(['residuals', 'the Gram matrix'])('by %s', (way) => {
  const prepare = async (atoms: Float32Array, width: number, k: number, batchSize = 16) => {
    const gram = way === 'residuals' ? undefined : await gramOf(atoms, width)
    return preparePursuit(runtime, { atoms: rowsInMemory(atoms, width), k, gram }, batchSize)
  }

  it('finds the atoms and coefficients of sparse combinations', async () => {
    const [width, count] = [96, 300]
    const atoms = drawn(width * count)
    const combinations = Array.from({ length: 12 }, (_, index) =>
      [0, 1, 2, 3].map((term) => ({ atom: (index * 37 + term * 71) % count, factor: term % 2 === 0 ? 1 + term : -2 })),
    )
    const targets = new Float32Array(12 * width)
    combinations.forEach((terms, index) =>
      terms.forEach(({ atom, factor }) =>
        rowOf(atoms, width, atom).forEach((value, at) => (targets[index * width + at]! += factor * value)),
      ),
    )
    const pursuit = await prepare(atoms, width, 16)
    const found = await pursuit.solve(targets, 12)
    combinations.forEach((terms, index) => {
      const { atoms: chosen, coefficients } = found[index]!
      for (const { atom, factor } of terms) expect(coefficients[chosen.indexOf(atom)]).toBeCloseTo(factor, 5)
      const others = [...chosen].flatMap((atom, place) =>
        terms.some((term) => term.atom === atom) ? [] : [Math.abs(coefficients[place]!)],
      )
      expect(Math.max(0, ...others)).toBeLessThan(1e-5)
    })
  })

  it('chooses what the definition says, step by step', async () => {
    const [width, count, k] = [40, 150, 20]
    const atoms = alike(count, width)
    const targets = drawn(5 * width, 9)
    const pursuit = await prepare(atoms, width, k)
    const found = await pursuit.solve(targets, 5)
    for (let index = 0; index < 5; index++) {
      const plain = plainPursuit(atoms, width, rowOf(targets, width, index), k)
      expect([...found[index]!.atoms]).toEqual(plain.chosen)
      found[index]!.coefficients.forEach((value, place) => expect(value).toBeCloseTo(plain.coefficients[place]!, 6))
    }
  })

  it('gives the same bytes whatever goes together', async () => {
    const [width, count] = [24, 90]
    const atoms = alike(count, width)
    const targets = drawn(9 * width, 3)
    const whole = await (await prepare(atoms, width, 12)).solve(targets, 9)
    const pursuit = await prepare(atoms, width, 12, 1)
    expect(pursuit.batch).toBe(1)
    for (let index = 0; index < 9; index++)
      expect(await pursuit.solve(rowOf(targets, width, index).slice(), 1)).toEqual([whole[index]])
  })

  it('takes the first of equal atoms, and none twice or in the span of others', async () => {
    const width = 4
    const atoms = Float32Array.of(0, 1, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0)
    const pursuit = await prepare(atoms, width, 64)
    const [found] = await pursuit.solve(Float32Array.of(3, 1, 5, 0), 1)
    expect([...found!.atoms]).toEqual([1, 0])
    expect([...found!.coefficients]).toEqual([1.5, 1])
  })

  it('solves for coefficients in float64, also where a target is nearly reached', async () => {
    const [width, count, k] = [48, 64, 12]
    const atoms = alike(count, width)
    const targets = drawn(4 * width, 22)
    for (let at = 0; at < 2 * width; at++) {
      const [index, column] = [Math.floor(at / width), at % width]
      targets[at] = 2 * atoms[(3 + index) * width + column]! - atoms[(9 + index) * width + column]! + targets[at]! / 500
    }
    const found = await (await prepare(atoms, width, k)).solve(targets, 4)
    found.forEach(({ atoms: chosen, coefficients }, index) => {
      expect(chosen).toHaveLength(k)
      const own = [...chosen].map((atom) => [...rowOf(atoms, width, atom)])
      const right = nearestCoefficients(own, [...rowOf(targets, width, index)])
      expect(farthest(coefficients, right)).toBeLessThan(1e-10 * farthest(right, new Float64Array(k)))
    })
  })

  it('makes nothing of nothing', async () => {
    const pursuit = await prepare(drawn(12), 4, 2)
    expect((await pursuit.solve(new Float32Array(4), 1))[0]!.atoms).toHaveLength(0)
  })
})

it('chooses the same either way where choices ahead of all correlations are taken back', async () => {
  const [width, count, k] = [64, 800, 40]
  const atoms = alike(count, width)
  const targets = alike(6, width).map((value, at) => value + (at % 3))
  const [gram, rows] = [await gramOf(atoms, width), rowsInMemory(atoms, width)]
  const [byGram, plain] = [
    await (await preparePursuit(runtime, { atoms: rows, k, gram }, 6)).solve(targets, 6),
    await (await preparePursuit(runtime, { atoms: rows, k }, 6)).solve(targets, 6),
  ]
  byGram.forEach((one, index) => expect([...one.atoms]).toEqual([...plain[index]!.atoms]))
})

it('compares all atoms first where many targets are to be made of not too many', () => {
  const sizes = { atoms: 32_768, width: 2048, targets: 16_384, k: 64 }
  expect(paysGram(sizes)).toBe(true)
  expect(paysGram({ ...sizes, targets: 20 })).toBe(false)
  expect(paysGram({ ...sizes, atoms: 120_000 })).toBe(false)
})
