import { expect, test } from 'vitest'
import { boxesOf } from './boxes.ts'

/** The flat indices that boxes hold, in their order. */
function indicesOf(shape: readonly number[], boxes: ReturnType<typeof boxesOf>): number[] {
  const inner = shape.map((_, axis) => shape.slice(axis + 1).reduce((count, size) => count * size, 1))
  const walk = (start: readonly number[], size: readonly number[], axis: number, flat: number): number[] =>
    axis === shape.length
      ? [flat]
      : Array.from({ length: size[axis]! }, (_, at) => at).flatMap((at) =>
          walk(start, size, axis + 1, flat + (start[axis]! + at) * inner[axis]!),
        )
  return boxes.flatMap(({ start, size }) => walk(start, size, 0, 0))
}

test.each([[[7]], [[3, 4]], [[4, 1]], [[1, 5]], [[2, 3, 4]], [[3, 1, 2]], [[2, 2, 2, 3]]])(
  'any range of a tensor of shape %j is a few boxes, in order',
  (shape) => {
    const count = shape.reduce((product, size) => product * size, 1)
    for (let start = 0; start <= count; start++)
      for (let end = start; end <= count; end++) {
        const boxes = boxesOf(shape, start, end)
        const expected = Array.from({ length: end - start }, (_, at) => start + at)
        expect([start, end, indicesOf(shape, boxes)]).toEqual([start, end, expected])
        expect(boxes.map(({ first }) => first)).toEqual(boxes.map((box) => indicesOf(shape, [box])[0]))
        expect(boxes.length).toBeLessThanOrEqual(2 * shape.length - 1)
      }
  },
)

test('whole rows are one box', () => {
  expect(boxesOf([4, 3, 2], 6, 18)).toEqual([{ start: [1, 0, 0], size: [2, 3, 2], first: 6 }])
  expect(boxesOf([4, 3, 2], 7, 18)).toEqual([
    { start: [1, 0, 1], size: [1, 1, 1], first: 7 },
    { start: [1, 1, 0], size: [1, 2, 2], first: 8 },
    { start: [2, 0, 0], size: [1, 3, 2], first: 12 },
  ])
  expect(boxesOf([4, 3], 5, 5)).toEqual([])
})
