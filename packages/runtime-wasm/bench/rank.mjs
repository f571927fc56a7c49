// The ranks of a bf16 task vector's magnitudes within rows of various lengths, as DELLA needs them. Those of
// a fine-tune are few values, and zeros.
import { abs, input, rank, sub } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const lowered = lower({ stores: [{ value: rank(abs(sub(input(1), input(0)))), dtype: 'BF16' }] }, ['BF16', 'BF16'])
for (const columns of [64, 1024, 4096, 16384]) {
  await report(`ranks in rows of ${columns}, δ of unrelated models`, lowered, columns)
  await report(`ranks in rows of ${columns}, δ of a fine-tune`, lowered, columns, 0.0014)
}
