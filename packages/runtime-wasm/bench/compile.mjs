import { abs, add, and, before, div, eq, ge, gt, input, lower, mul, ne, or, select, sub } from '@mk/tensor'
import { createWasmRuntime, generateModule } from '../dist/index.js'
import { weights, ELEMENTS } from './measure.mjs'

function ties(models) {
const deltas = Array.from({ length: models }, (_, i) => sub(input(i + 1), input(0)))
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
return lower({ stores: [{ value: add(input(0), mean), dtype: 'BF16' }] }, Array(models+1).fill('BF16'))
}
for (const models of [2,2,3,8]) {
  const l = ties(models)
  const runtime = createWasmRuntime()
  let t = performance.now()
  const bytes = generateModule(l.program, 4096)
  const tg = performance.now() - t
  t = performance.now()
  await WebAssembly.compile(bytes)
  const tc = performance.now() - t
  t = performance.now()
  const kernel = await runtime.compile(l.program)
  const tk = performance.now() - t
  const call = { elementCount: ELEMENTS, offset: 0, columns: 4096, inputs: l.program.inputs.map((_, s) => weights(runtime.allocate(2 * ELEMENTS), s + 1)), scalars: l.scalars, vectors: [], outputs: [runtime.allocate(2 * ELEMENTS)] }
  const times = []
  for (let i = 0; i < 24; i++) { t = performance.now(); kernel.run(call); times.push(performance.now() - t) }
  console.log(models, 'models', bytes.length, 'bytes', 'generate', tg.toFixed(2), 'engine', tc.toFixed(2), 'all', tk.toFixed(2), 'runs', times.map(x => x.toFixed(2)).join(' '))
  const one = { ...call, elementCount: 1 }
  kernel.run(one); t = performance.now(); for (let i = 0; i < 2000; i++) kernel.run(one); console.log('call of one element', ((performance.now() - t) / 2).toFixed(1), 'us')
}
