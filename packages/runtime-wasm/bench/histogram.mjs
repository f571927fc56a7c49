// Counting the magnitudes of a bf16 task vector in bins: the smaller the part of them that the bins hold, the faster.
import { abs, input, sub } from '@mk/tensor'
import { lower } from '@mk/tensor/runtime'
import { report } from './measure.mjs'

const bitsOf = (value) => new Uint32Array(Float32Array.of(value).buffer)[0]
const value = abs(sub(input(1), input(0)))
for (const [inside, lo, shift] of [
  ['1 %', bitsOf(0.02), 4],
  ['8 %', bitsOf(0.02), 7],
  ['all', 0, 17],
]) {
  await report(
    `histogram, ${inside} inside`,
    lower({ histograms: [{ value, bins: 16320, lo, shift }] }, ['BF16', 'BF16']),
  )
}
