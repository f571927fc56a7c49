// Counting magnitudes of a task vector: in a bracket that holds 1 % of them, one that holds 10 %, and one that holds all.
import { abs, input, lower, sub } from '@mk/tensor'
import { fastest, prepare, report } from './measure.mjs'

const bitsOf = (value) => new Uint32Array(Float32Array.of(value).buffer)[0]
const value = abs(sub(input(1), input(0)))
for (const [name, lo, shift, bins] of [
  ['1 %', bitsOf(0.02), 7, 2048],
  ['10 %', bitsOf(0.02), 10, 2048],
  ['everything', 0, 20, 2040],
]) {
  const lowered = lower({ histograms: [{ value, bins, lo, shift }] }, ['BF16', 'BF16'])
  const { run, copy } = await prepare(lowered)
  const counts = run()[0]
  const inside = counts.subarray(0, bins).reduce((a, b) => a + b) / counts.reduce((a, b) => a + b)
  report(`histogram with ${name} (${(100 * inside).toFixed(1)} %) inside`, fastest([run, copy]))
}
