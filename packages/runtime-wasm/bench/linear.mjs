// The weighted mean of three bf16 tensors takes no longer than a copy in memory that touches as many bytes.
import { add, input, mul } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const value = [0, 1, 2].map((slot) => mul(input(slot), 0.3)).reduce((a, b) => add(a, b))
await report('linear, 3 models', lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'BF16', 'BF16']))
