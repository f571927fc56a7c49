import { createWasmRuntime } from '@mk/runtime-wasm'

/** Elements of a kernel call, as in a merge. */
const ELEMENTS = 2 ** 17
const COPIED_BYTES = 2 ** 26

const generator = (state) => () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24

/** bf16 of small random weights, the same every time; with a δ those of a fine-tune, which differs by at most that from others. */
function weights(byteLength, slot, δ) {
  const uniform = generator(δ ? 1 : slot + 1)
  const own = generator(slot + 1)
  const float = new Float32Array(1)
  const bits = new Uint32Array(float.buffer)
  const halves = Uint16Array.from({ length: byteLength / 2 }, () => {
    float[0] = (uniform() + uniform() + uniform() + uniform() - 2) * 0.04 + (δ ? (own() - 0.5) * δ : 0)
    return (bits[0] + 0x8000) >>> 16
  })
  return new Uint8Array(halves.buffer)
}

/** Calls a kernel on one chunk of bf16 tensors that lies in the runtime's own buffers. */
async function prepare({ program, scalars, vectors }, columns = 4096, δ = 0) {
  const runtime = createWasmRuntime()
  const kernel = await runtime.compile(program)
  const chunk = () => runtime.allocate(2 * ELEMENTS)
  const inputs = program.inputs.map((_, slot) => {
    const bytes = chunk()
    bytes.set(weights(bytes.byteLength, slot, δ))
    return bytes
  })
  const outputs = program.outputs.filter(({ kind }) => kind === 'store').map(chunk)
  const call = { elementCount: ELEMENTS, offset: 0, columns, inputs, scalars, vectors, outputs }
  return { run: () => kernel.run(call), touchedBytes: 2 * ELEMENTS * (inputs.length + outputs.length) }
}

/**
 * Prints elements per second, and the time as a multiple of that of copying in main memory so much that as many bytes are
 * read and written. Both are the fastest of many runs taken in turns: other work on the machine only ever adds.
 */
export async function report(name, lowered, columns, δ) {
  const { run, touchedBytes } = await prepare(lowered, columns, δ)
  const [from, to] = [new Uint8Array(COPIED_BYTES).fill(1), new Uint8Array(COPIED_BYTES).fill(2)]
  const best = { kernel: Infinity, copy: Infinity }
  const time = (key, task) => {
    const start = performance.now()
    task()
    best[key] = Math.min(best[key], performance.now() - start)
  }
  for (let round = 0; round < 20; round++) {
    time('copy', () => to.set(from))
    for (let i = 0; i < 20; i++) time('kernel', run)
  }
  const copyOfAsMany = (best.copy * touchedBytes) / (2 * COPIED_BYTES)
  console.log(
    `${name}: ${(ELEMENTS / best.kernel / 1e6).toFixed(2)} G elements/s, ${(best.kernel / copyOfAsMany).toFixed(2)} × a copy in memory`,
  )
}
