// The weighted mean of three bf16 tensors, against copying as many bytes.
import { add, input, lower, mul } from '@mk/tensor'
import { fastest, prepare, report } from './measure.mjs'

const value = add(add(mul(input(0), 0.5), mul(input(1), 0.3)), mul(input(2), 0.2))
const { run, copy } = await prepare(lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'BF16', 'BF16']))
report('linear, 3 models', fastest([run, copy]))
