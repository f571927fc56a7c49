// The six dot products of three bf16 tensors, in float64: for the tensor, each row, each column.
import { input, mul } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const pairs = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 1],
  [1, 2],
  [2, 2],
]
for (const per of ['tensor', 'row', 'column']) {
  const reductions = pairs.map(([a, b]) => ({ reduce: 'sum', per, value: mul(input(a), input(b)) }))
  await report(`6 dot products per ${per}`, lower({ reductions }, ['BF16', 'BF16', 'BF16']))
}
