import { createWasmRuntime } from '../dist/index.js'

export const ELEMENTS = 2 ** 17

/** bf16 of small random weights, the same every time. */
export function weights(bytes, seed) {
  let state = seed
  const uniform = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24
  const float = new Float32Array(1)
  const bits = new Uint32Array(float.buffer)
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
  for (let i = 0; i < halves.length; i++) {
    float[0] = (uniform() + uniform() + uniform() + uniform() - 2) * 0.04
    halves[i] = (bits[0] + 0x8000) >>> 16
  }
  return bytes
}

/** A kernel and a call of it on one chunk of bf16 tensors, in the runtime's own buffers. */
export async function prepare({ program, scalars, vectors }, columns = 4096) {
  const runtime = createWasmRuntime()
  const kernel = await runtime.compile(program)
  const inputs = program.inputs.map((_, slot) => weights(runtime.allocate(2 * ELEMENTS), slot + 1))
  const outputs = program.outputs.filter(({ kind }) => kind === 'store').map(() => runtime.allocate(2 * ELEMENTS))
  const call = { elementCount: ELEMENTS, offset: 0, columns, inputs, scalars, vectors, outputs }
  const copies = [...inputs, ...outputs].map((bytes) => [bytes, runtime.allocate(bytes.byteLength)])
  /** Copies half of the bytes that the kernel touches, so that it reads and writes as many of them. */
  const copy = () => {
    for (const [from, to] of copies.slice(0, Math.max(1, copies.length >> 1))) to.set(from)
  }
  return { runtime, run: () => kernel.run(call), copy, bytes: copies.length * 2 * ELEMENTS }
}

/** The fastest of many runs of each, taken in turns, in ms: other work on the machine only ever adds to it. */
export function fastest(tasks, rounds = 300) {
  const best = tasks.map(() => Infinity)
  for (let round = 0; round < rounds; round++) {
    tasks.forEach((task, index) => {
      const start = performance.now()
      task()
      best[index] = Math.min(best[index], performance.now() - start)
    })
  }
  return best
}

export function report(name, [kernel, copy]) {
  const rate = ELEMENTS / kernel / 1e6
  console.log(`${name}: ${rate.toFixed(2)} G elements/s, ${(kernel / copy).toFixed(2)} times a copy that touches as many bytes`)
}
