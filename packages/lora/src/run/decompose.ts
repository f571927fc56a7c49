import { hasCode } from '@mk/errors'
import { createMatrix, type Operator, randomizedSvd, streamedOperator, type Svd, svd } from '@mk/linalg'
import { createWasmRuntime } from '@mk/runtime-wasm'
import { dtypeBytes } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import { encode, input, sub } from '@mk/tensor'
import { lower, type Kernel, type Runtime } from '@mk/tensor/runtime'
import { LoraError } from '../errors.ts'
import type { DecomposeTask, Decomposer, Factors } from './task.ts'

/** Up to this smaller side a matrix is decomposed exactly. */
const EXACT_SIZE = 96
/** Elements of a matrix that is decomposed exactly: it is in memory as float64, some times over. */
const EXACT_ELEMENTS = 2 ** 21
const BLOCK_BYTES = 2 ** 22
const MEMORY_BYTES = 2 ** 30
/** Singular values below this share of the largest are what float32 left of zero. */
const NOISE = 1e-7

/**
 * Opens what decomposes differences of weights in this thread: they are taken in float32, and multiplied by WebAssembly.
 * @param cacheBytes a difference up to this size is kept, a larger one is made anew from the files in each pass
 */
export function createDecomposer({ cacheBytes }: { readonly cacheBytes: number }): Decomposer {
  const runtime = createWasmRuntime({ memoryBytes: MEMORY_BYTES })
  const difference = createDifference(runtime, cacheBytes)
  return {
    async decompose(task) {
      try {
        const operator = await difference.open(task)
        const found = await leadingVectors(operator, task)
        return factorsOf(found, task)
      } catch (error) {
        if (hasCode(error, 'not-finite-norm') || hasCode(error, 'matrix-not-finite'))
          throw new LoraError({ code: 'extract-not-finite', tensor: task.tensor }, { cause: error })
        throw error
      }
    },
    async close() {
      difference.close()
      await runtime.close()
    },
  }
}

interface Found extends Svd {
  readonly squaredNorm: number
}

async function leadingVectors(operator: Operator, { maxRank, seed }: DecomposeTask): Promise<Found> {
  const { rows, columns } = operator
  const size = Math.min(rows, columns)
  const squaredNorm = await operator.squaredNorm()
  if (squaredNorm === 0 || size > EXACT_SIZE || rows * columns > EXACT_ELEMENTS)
    return randomizedSvd(operator, { rank: maxRank, seed, squaredNorm })
  const unit = createMatrix(columns, columns)
  for (let i = 0; i < columns; i++) unit.values[i * columns + i] = 1
  return { ...svd(await operator.multiply(unit)), squaredNorm }
}

/** Chooses the rank, and spreads the singular values over both factors. */
function factorsOf({ u, values, v, squaredNorm }: Found, task: DecomposeTask): Factors {
  const { maxRank, svEpsilon, energy, transposed, distributeScale, dtype } = task
  const most = Math.min(maxRank, values.length)
  let rank = 0
  let squares = 0
  while (rank < most) {
    const value = values[rank]!
    if (!(value > svEpsilon) || value <= NOISE * values[0]!) break
    if (energy !== undefined && squares >= energy * squaredNorm) break
    squares += value * value
    rank++
  }
  const [left, right] = transposed ? [v, u] : [u, v]
  const [ofLeft, ofRight] = distributeScale
    ? [values.map(Math.sqrt), values.map(Math.sqrt)]
    : [values.map(() => 1), values]
  const b = new Float32Array(left.rows * rank)
  for (let row = 0; row < left.rows; row++)
    for (let i = 0; i < rank; i++) b[row * rank + i] = left.values[row * left.columns + i]! * ofLeft[i]!
  const a = new Float32Array(rank * right.rows)
  for (let i = 0; i < rank; i++)
    for (let column = 0; column < right.rows; column++)
      a[i * right.rows + column] = right.values[column * right.columns + i]! * ofRight[i]!
  const stored = (elements: Float32Array): Uint8Array => {
    const bytes = new Uint8Array(elements.length * dtypeBytes(dtype))
    encode(dtype, elements, bytes, 0)
    return bytes
  }
  return { rank, a: stored(a), b: stored(b), squaredNorm, squaredError: Math.max(0, squaredNorm - squares) }
}

/** Differences of two sources, as operators that read them block by block. */
function createDifference(runtime: Runtime, cacheBytes: number) {
  const reader = createSourceReader()
  const kernels = new Map<string, Promise<Kernel>>()
  const buffers = new Map<string, Uint8Array>()
  const buffer = (name: string, byteLength: number): Uint8Array => {
    let found = buffers.get(name)
    if (found === undefined || found.byteLength < byteLength) buffers.set(name, (found = runtime.allocate(byteLength)))
    return found.subarray(0, byteLength)
  }
  const cache = runtime.allocate(cacheBytes)
  const value = sub(input(0), input(1))

  return {
    async open({ fine, base }: DecomposeTask): Promise<Operator> {
      const [rows, columns] = fine.shape as readonly [number, number]
      const lowered = lower({ stores: [{ value, dtype: 'F32' }] }, [fine.dtype, base.dtype])
      const key = `${fine.dtype} ${base.dtype}`
      if (!kernels.has(key)) kernels.set(key, runtime.compile(lowered.program))
      const kernel = await kernels.get(key)!
      const isKept = 4 * rows * columns <= cacheBytes
      const kept = new Set<number>()
      return streamedOperator(runtime, {
        rows,
        columns,
        dtype: 'F32',
        blockRows: Math.max(1, Math.floor(BLOCK_BYTES / (4 * columns))),
        async readRows(start, count) {
          const elementCount = count * columns
          const into = isKept
            ? cache.subarray(4 * start * columns, 4 * (start + count) * columns)
            : buffer('difference', 4 * elementCount)
          if (kept.has(start)) return into
          const inputs = [fine, base].map((source, slot) => {
            const bytes = buffer(`input ${slot}`, elementCount * dtypeBytes(source.dtype))
            reader.read(source, start * columns, elementCount, bytes)
            return bytes
          })
          await kernel.run({
            elementCount,
            offset: start * columns,
            columns,
            inputs,
            scalars: lowered.scalars,
            vectors: lowered.vectors,
            outputs: [into],
          })
          if (isKept) kept.add(start)
          return into
        },
      })
    },
    close: () => reader.close(),
  }
}
