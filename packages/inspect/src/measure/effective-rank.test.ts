import { describe, expect, it } from 'vitest'
import { diff, inFolder, writeTensors } from '../__fixtures__/models.ts'

describe('the effective rank of a difference', () => {
  it('is how many directions it has, evenly as it has them, of matrices of either shape', () =>
    inFolder(async (folder) => {
      const [rows, columns] = [6, 40]
      const at = (index: number, width: number) => [Math.floor(index / width), index % width] as const
      const noise = (index: number) => Math.sin(index * index)
      /** Each of the first `count` rows has a direction of its own, each as long. */
      const rowsOf = (count: number) => (index: number) => {
        const [row, column] = at(index, columns)
        return row < count && column === 3 * row ? 0.5 : 0
      }
      const write = (name: string, change: number) =>
        writeTensors(folder, name, {
          one: {
            shape: [rows, columns],
            values: (i) => noise(i) + change * noise(at(i, columns)[0]) * (at(i, columns)[1] + 1),
          },
          four: { shape: [rows, columns], values: (i) => noise(i) + change * rowsOf(4)(i) },
          turned: {
            shape: [columns, rows],
            values: (i) => noise(i) + change * (at(i, rows)[0] < 2 && at(i, rows)[0] === at(i, rows)[1] ? 1 : 0),
          },
          none: { shape: [rows, columns], values: noise },
          vector: { shape: [columns], values: (i) => noise(i) + change },
          experts: { shape: [2, rows, columns], values: (i) => noise(i) + change },
        })
      const [a, b] = [await write('a', 0), await write('b', 1)]
      const { tensors, total, kinds } = await diff(a, b, { effectiveRank: true })
      const found = Object.fromEntries(tensors.map(({ name, difference }) => [name, difference!.effectiveRank]))
      const near = (rank: number) => ({ rank: expect.closeTo(rank, 3), most: 6, matrices: 1, isEstimate: false })
      expect(found).toEqual({
        one: near(1),
        four: near(4),
        turned: near(2),
        none: near(0),
        vector: undefined,
        experts: undefined,
      })
      expect(total.effectiveRank).toEqual({ ...near(7 / 4), matrices: 4 })
      expect(kinds.find(({ kind }) => kind === 'vector')!.difference.effectiveRank).toBeUndefined()
      expect((await diff(a, b)).total.effectiveRank).toBeUndefined()
    }))

  it('is left out where a tensor is not finite', () =>
    inFolder(async (folder) => {
      const write = (name: string, value: number) =>
        writeTensors(folder, name, { w: { shape: [3, 3], values: (i) => (i === 4 ? value : i) } })
      const { total } = await diff(await write('a', 1), await write('b', Number.NaN), { effectiveRank: true })
      expect(total.effectiveRank).toBeUndefined()
      expect(total.nonFinite).toEqual({ a: 0, b: 1 })
    }))
})
