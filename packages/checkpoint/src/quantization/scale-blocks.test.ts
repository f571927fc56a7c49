import { expect, test } from 'vitest'
import { scaleBlocks } from './scale-blocks.ts'

type Numbers = readonly number[]

test.each<[string, Numbers, Numbers, Numbers | undefined, Numbers]>([
  ['all of a matrix', [6, 10], [1], undefined, [6, 10]],
  ['all of a matrix, in two dimensions', [6, 10], [1, 1], [2, 2], [6, 10]],
  ['all of a vector', [10], [1], undefined, [1, 10]],
  ['all of a number', [], [], undefined, [1, 1]],
  ['all of stacked matrices', [3, 6, 10], [1], undefined, [18, 10]],
  ['all of nothing', [0, 10], [1], undefined, [1, 10]],
  ['each row', [6, 10], [6], undefined, [1, 10]],
  ['each row, in two dimensions', [6, 10], [6, 1], undefined, [1, 10]],
  ['each column', [6, 10], [1, 10], undefined, [6, 1]],
  ['each element', [6, 10], [6, 10], undefined, [1, 1]],
  ['each block as configured', [6, 10], [3, 4], [2, 3], [2, 3]],
  ['each block of 128', [300, 260], [3, 3], undefined, [128, 128]],
  ['each block of 128, where another size is configured', [300, 260], [3, 3], [7, 7], [128, 128]],
  ['each block of equal parts', [6, 10], [3, 5], undefined, [2, 2]],
  ['each of stacked matrices', [3, 6, 10], [3, 1, 1], undefined, [6, 10]],
  ['each block of stacked matrices', [3, 6, 10], [3, 3, 5], undefined, [2, 2]],
  ['each block, the last of which is cut off', [7, 10], [4, 5], [2, 2], [2, 2]],
  ['each block of one stacked matrix, the last of which is cut off', [1, 7, 10], [1, 4, 5], [2, 2], [2, 2]],
])('a scale serves %s', (_, shape, scaleShape, configured, [blockRows, blockColumns]) => {
  expect(scaleBlocks(shape, scaleShape, configured)).toEqual({ blockRows, blockColumns })
})

test.each<[string, Numbers, Numbers, Numbers?]>([
  ['of other rows', [6, 10], [5]],
  ['of a vector', [6], [6]],
  ['of a vector, in parts', [6], [3]],
  ['of another number of dimensions', [3, 6, 10], [6, 1]],
  ['of other matrices', [3, 6, 10], [2, 3, 5]],
  ['of rows that nothing divides', [6, 10], [4, 5]],
  ['of columns that nothing divides', [6, 10], [3, 4]],
  ['of more blocks than rows', [6, 10], [12, 5]],
  ['of blocks that reach into the next matrix', [3, 7, 10], [3, 4, 5], [2, 2]],
  ['of blocks of no size', [6, 10], [4, 5], [0, 2]],
  ['of blocks of half a row', [6, 10], [4, 5], [1.5, 2]],
])('no scale is one %s', (_, shape, scaleShape, configured) => {
  expect(scaleBlocks(shape, scaleShape, configured)).toBeUndefined()
})
