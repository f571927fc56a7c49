// A random mask on a bf16 tensor, as DARE needs it, and exp, as arcee_fusion needs it.
import { exp, input, lt, select, uniform } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const kept = select(lt(uniform({ high: 1, low: 2 }), 0.5), input(0), 0)
await report('random mask', lower({ stores: [{ value: kept, dtype: 'BF16' }] }, ['BF16']))
await report('exp', lower({ stores: [{ value: exp(input(0)), dtype: 'BF16' }] }, ['BF16']))
