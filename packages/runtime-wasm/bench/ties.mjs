// The last pass of TIES over a base and two bf16 models: cut at thresholds, ties by index, vote, mean of those that agree.
import { abs, add, and, before, div, eq, ge, gt, input, le, mul, or, select, sub } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const total = (terms) => terms.reduce((a, b) => add(a, b))
const weights = [0.5, 0.6]
const deltas = weights.map((_, i) => sub(input(i + 1), input(0)))
const kept = deltas.map((delta) => or(gt(abs(delta), 0.013), and(eq(abs(delta), 0.013), before(70000))))
const weighted = deltas.map((delta, i) => mul(select(kept[i], delta, 0), weights[i]))
const elected = select(ge(total(weighted), 0), 1, -1)
const against = weighted.map((delta) => le(mul(delta, elected), 0))
const mixed = total(weighted.map((delta, i) => select(against[i], 0, delta)))
const sum = total(weights.map((weight, i) => select(against[i], 0, weight)))
const value = add(input(0), mul(div(mixed, select(eq(sum, 0), 1, sum)), 1))
await report('ties, a base and 2 models', lower({ stores: [{ value, dtype: 'BF16' }] }, ['BF16', 'BF16', 'BF16']))
