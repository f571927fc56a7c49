// Matrix products of real layers' sizes: GFLOP per second of processor time, packing and conversion included, beside ONNX Runtime's
// CPU provider with one thread, where that is installed.
import { createWasmRuntime } from '@mk/runtime-wasm'
import { encode } from '@mk/tensor'

const elementBytes = { F32: 4, F64: 8, BF16: 2 }
const plain = (dtype) => ({ dtype, transposed: false })
const turned = (dtype) => ({ dtype, transposed: true })

/** What is multiplied, and the sizes: rows, columns, terms of a sum. */
const products = [
  [
    '64 tokens × weight of a layer (bf16)',
    { left: plain('F32'), right: turned('BF16'), result: 'F32' },
    [64, 2048, 2048],
  ],
  [
    '512 tokens × weight of an MLP (bf16)',
    { left: plain('F32'), right: turned('BF16'), result: 'F32' },
    [512, 5632, 2048],
  ],
  ['rows × sketch of 42', { left: plain('F32'), right: plain('F64'), result: 'F64' }, [512, 42, 2048]],
  ['rowsᵀ × sketch of 42', { left: turned('F32'), right: plain('F64'), result: 'F64' }, [5632, 42, 512]],
  ['Gram matrix of 512 rows (bf16)', { left: turned('BF16'), right: plain('BF16'), result: 'F64' }, [2048, 2048, 512]],
  ['B·A of rank 32', { left: plain('F32'), right: plain('F32'), result: 'F32' }, [2048, 5632, 32]],
]

function values(count) {
  let state = 1
  return Float32Array.from(
    { length: count },
    () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5,
  )
}

async function gigaflops(runtime, product, [rows, columns, depth]) {
  const stored = (dtype, count) => {
    const bytes = runtime.allocate(count * elementBytes[dtype])
    encode(dtype, values(count), bytes, 0)
    return bytes
  }
  const kernel = await runtime.compileProduct(product)
  const [left, right] = [stored(product.left.dtype, rows * depth), stored(product.right.dtype, depth * columns)]
  const into = runtime.allocate(rows * columns * elementBytes[product.result])
  let best = Infinity
  for (let i = 0; i < 12; i++) {
    const start = process.cpuUsage()
    await kernel.run({ rows, columns, depth, left, right, into })
    const { user, system } = process.cpuUsage(start)
    best = Math.min(best, user + system)
  }
  return (2 * rows * columns * depth) / best / 1000
}

const onnx = await import('@mk/runtime-cuda')
  .then(({ createOnnxCpuRuntime }) => createOnnxCpuRuntime())
  .catch(() => undefined)
console.log(`| | rows × columns × terms | wasm |${onnx ? ' ONNX Runtime | share |' : ''}`)
console.log(`|---|---|--:|${onnx ? '--:|--:|' : ''}`)
for (const [name, product, size] of products) {
  const runtime = createWasmRuntime({ memoryBytes: 2 ** 30 })
  const own = await gigaflops(runtime, product, size)
  const cells = [name, size.join(' × '), own.toFixed(1)]
  if (onnx) {
    const other = await gigaflops(onnx, product, size)
    cells.push(other.toFixed(1), `${((100 * own) / other).toFixed(0)} %`)
  }
  console.log(`| ${cells.join(' | ')} |`)
}
await onnx?.close()
