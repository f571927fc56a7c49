import { hasCode } from '@mk/errors'
import { createMatrix, type Matrix } from '@mk/linalg'
import {
  alignProducts,
  compressProduct,
  createDifferences,
  type Differences,
  factorsOf,
  isFiniteProduct,
  joinProducts,
  leadingVectors,
  LoraError,
  type Product,
  squaredNorm,
  storeProduct,
} from '@mk/lora/portable'
import { createWasmRuntime } from '@mk/runtime-wasm'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { SourceReader, TensorSource } from '@mk/source'
import { decode } from '@mk/tensor'
import type { KernelResult, Runtime } from '@mk/tensor/runtime'
import { blockHost } from './matrix-executor.ts'
import { openOperator } from './open-operator.ts'
import type { OutputWriter } from './output-writer.ts'
import type { FactorWork, TensorPass } from './task.ts'

/** Works on the factors of modules in this thread. */
export interface FactorWorker {
  /** @returns matrices, each after its number of rows; where the factors are stored, how many elements of A and of B overflow */
  run(pass: TensorPass, work: FactorWork): Promise<KernelResult>
  close(): Promise<void>
}

const MEMORY_BYTES = 2 ** 30

/** Creates what works on factors; the reader's merged sources are known to it while a pass runs. */
export function createFactorWorker(reader: SourceReader, writer: OutputWriter): FactorWorker {
  let runtime: Runtime | undefined
  let differences: Differences | undefined
  const openRuntime = (): Runtime => (runtime ??= createWasmRuntime({ memoryBytes: MEMORY_BYTES }))

  const matrixOf = (source: TensorSource, scale = 1): Matrix => {
    const count = elementCount(source.shape)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    reader.read(source, 0, count, bytes)
    const elements = new Float32Array(count)
    decode(source.dtype, bytes, 0, elements)
    const [rows, columns] = source.shape as readonly [number, number]
    // A loop: `from` with a function takes some fifty times as long.
    const values = new Float64Array(count)
    for (let i = 0; i < count; i++) values[i] = scale * elements[i]!
    return createMatrix(rows, columns, values)
  }
  const productOf = (sources: readonly TensorSource[], index: number, [ofA, ofB]: readonly [number, number]) => ({
    a: matrixOf(sources[2 * index]!, ofA),
    b: matrixOf(sources[2 * index + 1]!, ofB),
  })

  async function compute(pass: TensorPass, { task, store }: FactorWork): Promise<Product | readonly Matrix[]> {
    const { sources } = pass
    const most = store?.rank ?? 0
    switch (task.kind) {
      case 'squares': {
        const { products, modelCount } = task
        const squares = createMatrix(1, modelCount)
        for (let model = 0; model < modelCount; model++) {
          const own = products.flatMap((product, i) =>
            product.model === model ? [productOf(sources, i, [1, product.scale])] : [],
          )
          if (own.length > 0) squares.values[model] = squaredNorm(joinProducts(own))
        }
        return [squares]
      }
      case 'products': {
        const joined = joinProducts(task.scales.map((scale, i) => productOf(sources, i, [1, scale])))
        return joined.a.rows > most ? compressProduct(joined, most) : finite(joined)
      }
      case 'difference': {
        const { transposed, seed, cacheBytes } = task
        differences ??= createDifferences(openRuntime(), reader, cacheBytes)
        const operator = await differences.open(sources[0]!, sources[1])
        return factorsOf(await leadingVectors(operator, { maxRank: most, seed }), { maxRank: most, transposed }).product
      }
      case 'streamed': {
        const { operator: plan, elements, transposed, seed } = task
        const operator = await openOperator(plan, elements, blockHost(openRuntime(), reader, pass))
        return factorsOf(await leadingVectors(operator, { maxRank: most, seed }), { maxRank: most, transposed }).product
      }
      case 'given':
        return task.product.a.rows > most ? compressProduct(task.product, most) : finite(task.product)
      case 'align': {
        const { products, modelCount } = task
        const all = products.map(({ scale }, i) => productOf(sources, i, [1, scale]))
        const { basis, parts } = alignProducts(all)
        const ofModels = Array.from({ length: modelCount }, () => createMatrix(basis.columns, all[0]!.a.columns))
        products.forEach(({ model }, i) => {
          const { values } = ofModels[model]!
          parts[i]!.values.forEach((value, at) => (values[at]! += value))
        })
        return [basis, ...ofModels]
      }
      case 'balance':
        return task.scales.flatMap((scale, i) => {
          const root = Math.sqrt(Math.abs(scale))
          const { a, b } = finite(productOf(sources, i, [root * (Math.sign(scale) || 1), root]))
          return [a, b]
        })
      default:
        return task satisfies never
    }
  }

  return {
    async run(pass, work) {
      let found: Product | readonly Matrix[]
      try {
        found = await compute(pass, work)
      } catch (error) {
        if (hasCode(error, 'not-finite-norm') || hasCode(error, 'matrix-not-finite') || error === notFinite)
          throw new LoraError({ code: 'extract-not-finite', tensor: work.tensor }, { cause: error })
        throw error
      }
      if ('a' in found) {
        const { output } = pass
        const { rank, other } = work.store!
        const { a, b, overflow } = storeProduct(found, rank, output!.dtype)
        writer.write(output!.file, output!.byteStart, a)
        writer.write(other.file, other.byteStart, b)
        return [Float64Array.of(overflow.a, overflow.b)]
      }
      return found.flatMap(({ rows, values }) => [Float64Array.of(rows), values])
    },
    async close() {
      await runtime?.close()
    },
  }
}

const notFinite = Symbol('not finite')

function finite(product: Product): Product {
  if (!isFiniteProduct(product)) throw notFinite
  return product
}
