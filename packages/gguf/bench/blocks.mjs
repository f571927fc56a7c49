// How fast blocks become float32 and float32 becomes blocks, in runs of 2^17 elements, the fastest of many.
import { createBlockEncoder, decodedGgmlTypes, dequantize, encodedGgmlTypes, ggmlTypes } from '@mk/gguf'

const ELEMENTS = 2 ** 17
const RUNS = 200

const into = new Float32Array(ELEMENTS)
const values = Float32Array.from({ length: ELEMENTS }, (_, index) => Math.sin(index * 0.37) * 0.05)
const bytesOf = (type) => (ELEMENTS / ggmlTypes[type].blockElements) * ggmlTypes[type].blockBytes

for (const type of decodedGgmlTypes) {
  // Any bits but those of infinity and NaN, which are rare in models.
  const blocks = Uint8Array.from({ length: bytesOf(type) }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 24) & 0xbb)
  report(`read ${type}`, () => dequantize(type, blocks, into))
}
for (const type of encodedGgmlTypes) {
  const encode = createBlockEncoder(type)
  const blocks = new Uint8Array(bytesOf(type))
  report(`write ${type}`, () => encode(values, blocks))
}

function report(name, run) {
  let best = Infinity
  for (let round = 0; round < RUNS; round++) {
    const start = performance.now()
    run()
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${name}: ${(ELEMENTS / best / 1e6).toFixed(2)} G elements/s`)
}
