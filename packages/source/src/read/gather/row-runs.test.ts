import { expect, test } from 'vitest'
import type { GatherSegment, GatherSource } from '../../tensor-source.ts'
import { rowRuns, runAt } from './row-runs.ts'

const copy = (source: number, row: number, rowCount: number): GatherSegment => ({ kind: 'copy', source, row, rowCount })
const zero = (rowCount: number): GatherSegment => ({ kind: 'zero', rowCount })
const of = (...segments: readonly GatherSegment[]) =>
  ({ kind: 'gather', dtype: 'F32', shape: [9, 2, 3], sources: [], segments }) as GatherSource

const runsOf = (...segments: readonly GatherSegment[]) =>
  rowRuns(of(...segments)).runs.map(({ row, rowCount, segment }) => [row, rowCount, segment])

test('copies of adjacent rows are one run', () => {
  expect(runsOf(copy(0, 4, 2), copy(0, 6, 1), copy(0, 7, 3))).toEqual([[0, 6, copy(0, 4, 6)]])
})

test('others are runs of their own', () => {
  const apart = [copy(0, 4, 2), copy(0, 7, 1), copy(0, 7, 1), copy(1, 8, 1), zero(2), copy(1, 9, 1)] as const
  expect(runsOf(...apart)).toEqual([
    [0, 2, apart[0]],
    [2, 1, apart[1]],
    [3, 1, apart[2]],
    [4, 1, apart[3]],
    [5, 2, apart[4]],
    [7, 1, apart[5]],
  ])
  expect(runsOf(zero(1), zero(2))).toEqual([
    [0, 1, zero(1)],
    [1, 2, zero(2)],
  ])
})

test('what has no rows is left out', () => {
  expect(runsOf(zero(0), copy(0, 0, 0), copy(0, 3, 1), zero(0), copy(0, 4, 1))).toEqual([[0, 2, copy(0, 3, 2)]])
  expect(runsOf()).toEqual([])
})

test('a row has the elements of all other dimensions', () => {
  const source = of(zero(9))
  expect(rowRuns(source)).toMatchObject({ source, columns: 6 })
})

test('the run of each row is found', () => {
  for (const counts of [[1], [3], [1, 1], [2, 1, 4], [1, 2, 3, 1], [5, 1, 1, 1, 2]]) {
    const { runs } = rowRuns(of(...counts.map((count) => zero(count))))
    const expected = counts.flatMap((count, index) => Array<number>(count).fill(index))
    expect(expected.map((_, row) => runAt(runs, row))).toEqual(expected)
  }
})
