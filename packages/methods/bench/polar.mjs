// Polar factor and mean singular value as iso_c finds them, by the eigenvectors of the Gram matrix, beside Newton–Schulz from the start, as rows of a
// table: seconds of processor time, and how far each is from U·Vᵀ and the mean of a matrix that was made of them.
import { createMatrix, multiply, polarFactor, qr, transpose } from '@mk/linalg'
import { mergeArrays } from '@mk/methods'
import { createWasmRuntime } from '@mk/runtime-wasm'

/** The smallest singular value is this share of the largest. */
const least = Number(process.argv[2] ?? 0.01)
const sizes = [256, 512, 1024]

let state = 1
const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5
const random = (size) => createMatrix(size, size, Float64Array.from({ length: size ** 2 }, next))

async function timed(task) {
  const start = process.cpuUsage()
  const result = await task()
  const { user, system } = process.cpuUsage(start)
  return { result, seconds: ((user + system) / 1e6).toFixed(2) }
}

function distance(found, expected) {
  let [difference, norm] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i] - expected[i]) ** 2
    norm += expected[i] ** 2
  }
  return Math.sqrt(difference / norm).toExponential(0)
}

const runtime = createWasmRuntime({ memoryBytes: 2 ** 30 })
console.log(
  '| rows and columns | iso_c, seconds | error | Newton–Schulz, seconds | error | its products |\n|---|--:|--:|--:|--:|--:|',
)
for (const size of sizes) {
  const [u, v] = [qr(random(size)).q, qr(random(size)).q]
  const singular = Float64Array.from({ length: size }, (_, i) => least ** (i / (size - 1)))
  const scaled = createMatrix(
    size,
    size,
    u.values.map((value, i) => value * singular[i % size]),
  )
  const values = Float32Array.from(multiply(scaled, transpose(v)).values)
  const mean = singular.reduce((sum, value) => sum + value) / size
  const expected = multiply(u, transpose(v)).values.map((value) => value * mean)
  const request = { base: new Float32Array(size ** 2), models: [values], shape: [size, size], tensorName: 'w' }
  const own = await timed(() => mergeArrays('iso_c', request, runtime))
  const other = await timed(() => polarFactor(runtime, { rows: size, columns: size, values }, { least }))
  const { factor, nuclearNorm, iterations } = other.result
  const ofOther = factor.values.map((value) => (value * nuclearNorm) / size)
  const row = [
    size,
    own.seconds,
    distance(own.result, expected),
    other.seconds,
    distance(ofOther, expected),
    2 * iterations + 1,
  ]
  console.log(`| ${row.join(' | ')} |`)
}
await runtime.close()
