// How fast stored elements become float32: each dtype in runs of 2^17 elements, the fastest of many.
import { decode } from '@mk/tensor'

const ELEMENTS = 2 ** 17
const RUNS = 60
const bytesOf = { BF16: 2, F16: 2, F8_E4M3: 1, F8_E5M2: 1, F32: 4, F64: 8, I8: 1, I64: 8 }

const into = new Float32Array(ELEMENTS)
for (const [dtype, size] of Object.entries(bytesOf)) {
  // Any bits but those of infinity and NaN, which are rare in models.
  const bytes = Uint8Array.from({ length: ELEMENTS * size }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 0xbb)
  let best = Infinity
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now()
    decode(dtype, bytes, 0, into)
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${dtype}: ${((best * 1e6) / ELEMENTS).toFixed(2)} ns an element`)
}
