// The ranks of a bf16 task vector's magnitudes within rows of various lengths, and random masks by these, as DELLA needs them. Those of
// a fine-tune are few values, and zeros.
import { abs, add, input, lt, mul, rank, select, sub, uniform } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const δ = sub(input(1), input(0))
const ranks = rank(abs(δ))
const ofRow = (columns) => {
  const kept = lt(uniform({ high: 1, low: 2 }), add(0.35, mul(ranks, 0.3 / (columns - 1))))
  return [
    ['ranks', ranks],
    ['masks by rank', select(kept, δ, 0)],
  ]
}
for (const columns of [64, 1024, 4096, 16384])
  for (const [what, value] of ofRow(columns)) {
    const lowered = lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'BF16'])
    await report(`${what} in rows of ${columns}, δ of unrelated models`, lowered, columns)
    await report(`${what} in rows of ${columns}, δ of a fine-tune`, lowered, columns, 0.0014)
  }
