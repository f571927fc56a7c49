// The last pass of TIES on a base and two bf16 models: thresholds with ties by index, vote, disjoint mean.
import { abs, add, and, before, div, eq, ge, gt, input, lower, mul, ne, or, select, sub } from '@mk/tensor'
import { fastest, prepare, report } from './measure.mjs'

const deltas = [1, 2].map((slot) => sub(input(slot), input(0)))
const kept = deltas.map((delta) => {
  const size = abs(delta)
  return select(or(gt(size, 0.01), and(eq(size, 0.01), before(70000))), delta, 0)
})
const weighted = kept.map((delta, i) => mul(delta, 0.5 + i / 10))
const positive = ge(weighted.reduce(add), 0)
const agrees = weighted.map((delta) => select(positive, select(gt(delta, 0), 1, 0), select(gt(0, delta), 1, 0)))
const sum = weighted.map((delta, i) => mul(delta, agrees[i])).reduce(add)
const divisor = agrees.map((agree, i) => mul(agree, 0.5 + i / 10)).reduce(add)
const mean = div(sum, select(ne(divisor, 0), divisor, 1))
const { run, copy } = await prepare(lower({ stores: [{ value: add(input(0), mean), dtype: 'BF16' }] }, ['BF16', 'BF16', 'BF16']))
report('ties, base and 2 models', fastest([run, copy]))
