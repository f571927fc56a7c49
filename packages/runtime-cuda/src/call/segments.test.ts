import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutCall } from './segments.ts'

const call = (offset: number, elementCount: number, columns: number) => ({
  offset,
  elementCount,
  columns,
  inputs: [],
  scalars: [],
  vectors: [],
  outputs: [],
})
const sizes = (...cutting: Parameters<typeof cutCall>) =>
  cutCall(...cutting).map(({ rows, columns }) => [rows, columns])

describe('a call', () => {
  it('of whole rows is one segment', () => {
    expect(cutCall(call(20, 30, 10), { hasRows: true, wholeRows: false, most: 1000 })).toEqual([
      { start: 0, elementCount: 30, rows: 3, columns: 10, firstRow: 2, firstColumn: 0 },
    ])
  })

  it('that begins and ends within rows is cut there', () => {
    expect(sizes(call(17, 30, 10), { hasRows: true, wholeRows: false, most: 1000 })).toEqual([
      [1, 3],
      [2, 10],
      [1, 7],
    ])
  })

  it('is a single row to a program that knows no rows', () => {
    expect(sizes(call(17, 30, 10), { hasRows: false, wholeRows: false, most: 1000 })).toEqual([[1, 30]])
  })

  it('is cut to the most elements, within rows only where they may be', () => {
    expect(sizes(call(0, 40, 10), { hasRows: true, wholeRows: false, most: 25 })).toEqual([
      [2, 10],
      [2, 10],
    ])
    expect(sizes(call(0, 20, 10), { hasRows: true, wholeRows: false, most: 4 })).toEqual([
      [1, 4],
      [1, 4],
      [1, 2],
      [1, 4],
      [1, 4],
      [1, 2],
    ])
    expect(sizes(call(0, 20, 10), { hasRows: true, wholeRows: true, most: 4 })).toEqual([
      [1, 10],
      [1, 10],
    ])
  })

  it('is covered once, in order', () => {
    const numbers = fc.record({
      offset: fc.nat(200),
      elementCount: fc.nat(200),
      columns: fc.integer({ min: 1, max: 50 }),
      hasRows: fc.boolean(),
      most: fc.integer({ min: 1, max: 100 }),
    })
    fc.assert(
      fc.property(numbers, ({ offset, elementCount, columns, hasRows, most }) => {
        let next = 0
        for (const segment of cutCall(call(offset, elementCount, columns), { hasRows, wholeRows: false, most })) {
          expect(segment.start).toBe(next)
          expect(segment.rows * segment.columns).toBe(segment.elementCount)
          expect(segment.elementCount).toBeLessThanOrEqual(most)
          expect(segment.elementCount).toBeGreaterThan(0)
          expect(segment.firstRow * columns + segment.firstColumn).toBe(hasRows ? offset + next : 0)
          next += segment.elementCount
        }
        expect(next).toBe(elementCount)
      }),
    )
  })
})
