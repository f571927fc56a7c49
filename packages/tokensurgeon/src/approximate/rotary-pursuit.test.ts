import { expect, it } from 'vitest'
import { drawn, leftOf, nearestCoefficients, rowOf, useRuntime } from '../__fixtures__/numbers.ts'
import { rowsInMemory } from '../rows/row-store.ts'
import { frequenciesOf, prepareRotaryPursuit, turn } from './rotary-pursuit.ts'

const runtime = useRuntime()
const [headSize, width, count, k] = [6, 12, 40, 5]
const rotation = { headSize, theta: 100 }
const atoms = drawn(width * count)

/** A row turned by a position: each pair of each head by its frequency. */
function plainTurn(row: readonly number[], position: number): number[] {
  const half = headSize / 2
  return row.map((value, at) => {
    const [head, place] = [Math.floor(at / headSize) * headSize, at % headSize]
    const pair = place % half
    const angle = position * rotation.theta ** (-(2 * pair) / headSize)
    const other = row[head + ((place + half) % headSize)]!
    return place < half
      ? value * Math.cos(angle) - other * Math.sin(angle)
      : value * Math.cos(angle) + other * Math.sin(angle)
  })
}

/** Matching pursuit over all turned atoms as its definition says, in float64. */
function plain(target: readonly number[]) {
  const rows = Array.from({ length: count }, (_, row) => [...rowOf(atoms, width, row)])
  const half = headSize / 2
  const pairs = Array.from({ length: width / 2 }, (_, pair) => {
    const first = Math.floor(pair / half) * headSize + (pair % half)
    return { first, second: first + half, frequency: rotation.theta ** (-(2 * (pair % half)) / headSize) }
  })
  const squares = pairs.reduce((sum, { frequency }) => sum + frequency ** 2, 0)
  const positionOf = (goal: readonly number[], row: readonly number[]) =>
    pairs.reduce((sum, { first, second, frequency }) => {
      const [x0, x1, y0, y1] = [row[first]!, row[second]!, goal[first]!, goal[second]!]
      return sum + Math.atan2(x0 * y1 - x1 * y0, x0 * y0 + x1 * y1) * frequency
    }, 0) / squares
  const chosen: { atom: number; position: number }[] = []
  let coefficients: number[] = []
  let rest = [...target]
  for (let step = 0; step < k; step++) {
    const turns = rows.map((row) => {
      const [forward, backward] = [
        positionOf(rest, row),
        positionOf(
          rest.map((value) => -value),
          row,
        ),
      ]
      return Math.abs(backward) < Math.abs(forward) ? backward : forward
    })
    const scores = rows.map((row, atom) =>
      chosen.some((each) => each.atom === atom)
        ? -1
        : Math.abs(plainTurn(row, turns[atom]!).reduce((sum, value, at) => sum + value * rest[at]!, 0)),
    )
    const atom = scores.indexOf(Math.max(...scores))
    chosen.push({ atom, position: turns[atom]! })
    const own = chosen.map((each) => plainTurn(rows[each.atom]!, each.position))
    coefficients = nearestCoefficients(own, [...target])
    rest = leftOf([...target], own, coefficients)
  }
  return { chosen, coefficients }
}

it('chooses turned atoms as its definition says', async () => {
  const pursuit = await prepareRotaryPursuit(runtime, { atoms: rowsInMemory(atoms, width), rotation, k }, 0)
  const targets = drawn(width * 3, 8)
  const found = await pursuit.solve(targets, 3)
  for (let index = 0; index < 3; index++) {
    const expected = plain([...rowOf(targets, width, index)])
    expect([...found[index]!.atoms]).toEqual(expected.chosen.map(({ atom }) => atom))
    found[index]!.positions.forEach((position, place) =>
      expect(position).toBeCloseTo(expected.chosen[place]!.position, 4),
    )
    found[index]!.coefficients.forEach((value, place) => expect(value).toBeCloseTo(expected.coefficients[place]!, 4))
  }
})

it('finds an atom that was turned by a small position', async () => {
  const frequencies = frequenciesOf(rotation, width)
  const target = new Float32Array(width)
  turn(rowOf(atoms, width, 9), 0.4, headSize, frequencies, target)
  const pursuit = await prepareRotaryPursuit(runtime, { atoms: rowsInMemory(atoms, width), rotation, k: 1 }, 0)
  const [found] = await pursuit.solve(target, 1)
  expect(found!.atoms[0]).toBe(9)
  expect(found!.positions[0]).toBeCloseTo(0.4, 5)
  expect(found!.coefficients[0]).toBeCloseTo(1, 5)
})
