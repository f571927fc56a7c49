// How often each method goes through its inputs, and what a kernel takes for an element: the least of many calls of one core, on a base and
// two fine-tunes in bf16. Usage: node apps/cli/bench/passes.mjs [METHOD…]; prints a row of the table in docs/performance.md for each, and
// what a C compiler makes of four parts of them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtinMethods, mergeArrays, tensorParameters } from '@mk/methods'
import { createWasmRuntime } from '@mk/runtime-wasm'

const CHUNK_ELEMENTS = 2 ** 17
/** More chunks than a small tensor has, so that samples are taken. */
const shape = [5 * 64, 2048]

/** What the methods are called with; those that are not named take their defaults. */
const settings = {
  linear: { weight: 0.4 },
  slerp: { t: 0.4 },
  nearswap: { t: 0.001 },
  nuslerp: { weight: 0.5 },
  multislerp: { weight: 0.4 },
  sce: { select_topk: 0.1 },
  breadcrumbs: { density: 0.5, gamma: 0.01 },
  breadcrumbs_ties: { density: 0.5, gamma: 0.01 },
  della: { density: 0.5, epsilon: 0.1 },
  della_linear: { density: 0.5, epsilon: 0.1 },
}
const taskVectors = { weight: 0.5, density: 0.5 }
const takesDensity = (method) => 'density' in method.parameters.perModel

/** The methods that are gone through element by element, and need no files. */
export const measured = [...builtinMethods.values()].filter(
  (method) => method.matrices === undefined && method.name !== 'passthrough' && tensorParameters(method).length === 0,
)

/**
 * Merges tensors by a method with a runtime that counts.
 * @returns for each kernel, in the order of their first calls, how many times the tensor it went over all in all, and the least nanoseconds
 * for an element of a whole chunk
 */
export async function passesOf(method, tensors, { repeats = 1 } = {}) {
  const [base] = tensors
  const models = tensors.slice(1)
  const runtime = createWasmRuntime()
  const kernels = []
  const compile = async (program) => {
    const kernel = await runtime.compile(program)
    const found = { times: 0, nanoseconds: Infinity }
    return {
      run(call) {
        if (found.times === 0) kernels.push(found)
        found.times += call.elementCount / (shape[0] * shape[1])
        const whole = call.elementCount === CHUNK_ELEMENTS
        for (let i = 1; whole && i < repeats; i++) found.nanoseconds = Math.min(found.nanoseconds, timed(kernel, call))
        return kernel.run(call)
      },
    }
  }
  await mergeArrays(
    method.name,
    {
      models: models.slice(0, modelCount(method)),
      ...(method.base === 'required' ? { base } : {}),
      shape,
      dtype: 'BF16',
      parameters: parametersOf(method),
    },
    { ...runtime, compile },
  )
  await runtime.close()
  return kernels
}

/** What a method is called with. */
export const parametersOf = (method) => ({
  ...('weight' in method.parameters.perModel && takesDensity(method) ? taskVectors : {}),
  ...('weight' in method.parameters.perModel && { weight: 0.5 }),
  ...settings[method.name],
})

/** Two, where the method takes so many. */
const modelCount = ({ models: { max = 2 } }) => Math.min(max, 2)

/** The passes in words: those over the whole tensor, and whether a sample was looked at before. */
export function describePasses(kernels) {
  const whole = kernels.reduce((sum, { times }) => sum + (times >= 0.99 ? Math.round(times) : 0), 0)
  return kernels.some(({ times }) => times < 0.07) ? `${whole} and a sample` : String(whole)
}

function timed(kernel, call) {
  const start = performance.now()
  kernel.run(call)
  return ((performance.now() - start) * 1e6) / call.elementCount
}

/** Makes the tensors of a base and of two fine-tunes. */
export const makeTensors = () => [0, 1, 2].map(weights)

/** bf16 weights of a base (0) or of a fine-tune, which differs from it by a fiftieth. */
function weights(index) {
  const uniform = generator(1)
  const own = generator(index + 2)
  const float = new Float32Array(1)
  const bits = new Uint32Array(float.buffer)
  const halves = Uint16Array.from({ length: shape[0] * shape[1] }, () => {
    float[0] = (uniform() + uniform() + uniform() - 1.5) * 0.04 + (index > 0 ? (own() - 0.5) * 0.0014 : 0)
    return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16
  })
  return { dtype: 'BF16', bytes: new Uint8Array(halves.buffer) }
}

function generator(seed) {
  let state = seed
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 8) / 2 ** 24
}

/** The nanoseconds that C takes for an element with the same instructions, as programs here print them; undefined without a compiler. */
function nanosecondsInC(name, count) {
  const folder = mkdtempSync(join(tmpdir(), 'mk-kernel-'))
  const program = join(folder, 'kernel')
  const source = fileURLToPath(new URL(name, import.meta.url))
  const { status } = spawnSync('cc', ['-O3', '-mavx', '-ffp-contract=off', '-o', program, source], { stdio: 'ignore' })
  const printed = status === 0 ? spawnSync(program, { encoding: 'utf8' }).stdout : undefined
  rmSync(folder, { recursive: true })
  return printed?.split(' ').slice(0, count).join(', ') ?? '(no compiler)'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2)
  const tensors = makeTensors()
  console.log('| method | passes | nanoseconds an element, pass by pass | seconds a GB |\n| --- | --- | --- | --: |')
  for (const method of measured.filter(({ name }) => names.length === 0 || names.includes(name))) {
    const kernels = await passesOf(method, tensors, { repeats: 60 })
    const whole = kernels.filter(({ times }) => times >= 0.99)
    const each = whole.map(({ nanoseconds }) => nanoseconds.toFixed(1)).join(' + ')
    const all = whole.reduce((sum, { times, nanoseconds }) => sum + Math.round(times) * nanoseconds, 0)
    const inputBytes = 2 * (modelCount(method) + (method.base === 'required' ? 1 : 0))
    console.log(`| ${method.name} | ${describePasses(kernels)} | ${each} | ${(all / inputBytes).toFixed(2)} |`)
  }
  console.log(`\nIn C, with the same instructions: the last pass of ties ${nanosecondsInC('ties-kernel.c', 1)}`)
  console.log(
    `The first passes of dare_linear and arcee_fusion, and masks by rank of one model's differences: ${nanosecondsInC('first-passes.c', 3)}`,
  )
}
