import { abs, add, columnVector, input, lower, max, mul, rank, sub, sum, exp, uniform, select, lt, count, gt } from '@mk/tensor'
import { fastest, prepare, report } from './measure.mjs'
const three = ['BF16', 'BF16', 'BF16']
const cases = {
  copy: lower({ stores: [{ value: input(0), dtype: 'BF16' }] }, ['BF16']),
  gram: lower({ reductions: [[0,0],[0,1],[0,2],[1,1],[1,2],[2,2]].map(([a, b]) => ({ reduce: 'sum', along: 'tensor', value: mul(input(a), input(b)) })) }, three),
  dot3: lower({ reductions: [[0,0],[0,1],[1,1]].map(([a, b]) => ({ reduce: 'sum', along: 'tensor', value: mul(input(a), input(b)) })) }, three.slice(1)),
  rowdot3: lower({ reductions: [[0,0],[0,1],[1,1]].map(([a, b]) => ({ reduce: 'sum', along: 'row', value: mul(input(a), input(b)) })) }, three.slice(1)),
  coldot3: lower({ reductions: [[0,0],[0,1],[1,1]].map(([a, b]) => ({ reduce: 'sum', along: 'column', value: mul(input(a), input(b)) })) }, three.slice(1)),
  count: lower({ reductions: [{ reduce: 'sum', along: 'tensor', value: gt(abs(sub(input(0), input(1))), 0.01) }] }, three.slice(1)),
  max: lower({ reductions: [{ reduce: 'max', along: 'tensor', value: input(0) }] }, ['BF16']),
  uniform: lower({ stores: [{ value: select(lt(uniform({ high: 1, low: 2 }), 0.5), input(0), 0), dtype: 'BF16' }] }, ['BF16']),
  exp: lower({ stores: [{ value: exp(input(0)), dtype: 'BF16' }] }, ['BF16']),
  f16: lower({ stores: [{ value: add(mul(input(0), 0.5), mul(input(1), 0.5)), dtype: 'F16' }] }, ['F16', 'F16']),
  rank: lower({ stores: [{ value: rank(abs(sub(input(0), input(1)))), dtype: 'BF16' }] }, ['BF16', 'BF16']),
}
for (const [name, lowered] of Object.entries(cases)) {
  if (process.argv[2] && !process.argv[2].split(',').includes(name)) continue
  const { run, copy } = await prepare(lowered)
  report(name, fastest([run, copy], 200))
}
