// The last pass of TIES over a base and two bf16 models: cut at thresholds, vote, mean of those that agree, count of what is finite. In
// most chunks all ties are on one side of where they are cut.
import { abs, add, before, count, div, eq, ge, input, le, lt, mul, not, select, sub } from '@mk/tensor'
import { finiteThroughout, lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const total = (terms) => terms.reduce((a, b) => add(a, b))
const weights = [0.5, 0.6]
const deltas = weights.map((_, i) => sub(input(i + 1), input(0)))
const ties = (end) => {
  const kept = deltas.map((delta) => not(lt(abs(delta), select(before(end), 0.013, 0.01300001))))
  const weighted = deltas.map((delta, i) => mul(select(kept[i], delta, 0), weights[i]))
  const elected = select(ge(total(weighted), 0), 1, -1)
  const against = weighted.map((delta) => le(mul(delta, elected), 0))
  const mixed = total(weighted.map((delta, i) => select(against[i], 0, delta)))
  const sum = total(weights.map((weight, i) => select(against[i], 0, weight)))
  const value = add(input(0), mul(div(mixed, select(eq(sum, 0), 1, sum)), 1))
  const finite = count(finiteThroughout(value, 'BF16'))
  return lower({ stores: [{ value, dtype: 'BF16' }], reductions: [finite] }, ['BF16', 'BF16', 'BF16'])
}
await report('ties, a base and 2 models', ties(0))
await report('same, where ties are cut', ties(70000))
