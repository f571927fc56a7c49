import { dtypeBytes } from '@mk/safetensors'
import { decode, encode } from '../numbers/dtypes.ts'
import { type Product, type ProductCall, storedMatrices } from '../product/product.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Allocate } from './place.ts'
import type { ProductCase } from './product-cases.ts'

/**
 * Runs a case on both runtimes.
 * @param tolerance how far an element may be off, as a share of the sum of its terms' magnitudes; where they overflow, its result
 * need only be not finite either, or what the terms add up to in float64. Absent: not at all
 * @param places where the matrices are to be
 * @returns what differs, or nothing
 */
export async function differenceInProduct(
  { product, calls }: ProductCase,
  reference: Runtime,
  runtime: Runtime,
  places: readonly (() => Allocate)[],
  tolerance: number | undefined,
): Promise<string | undefined> {
  const kernel = await runtime.compileProduct(product)
  for (const [index, call] of calls().entries()) {
    const expected = call.into.slice()
    await (await reference.compileProduct(product)).run({ ...call, into: expected })
    const allowed = tolerance === undefined ? undefined : await magnitudes(product, call, reference)
    for (const [place, createPlace] of places.entries()) {
      const allocate = createPlace()
      const slots = [call.left, call.right, call.into].map((bytes) => allocate(bytes.byteLength, bytes))
      if (slots.includes(undefined)) continue
      const [left, right, into] = slots.map((slot) => slot!.bytes) as [Uint8Array, Uint8Array, Uint8Array]
      await kernel.run({ ...call, left, right, into })
      const where = `call ${index}, place ${place}`
      const at = findDifference(product, into, expected, (element, got, value) => {
        if (allowed === undefined) return false
        // Fused, a term may not overflow, or cancel an infinity.
        if (!Number.isFinite(allowed[element]))
          return Number.isFinite(got) ? isNear(got, wideSum(product, call, element)) : !Number.isFinite(value)
        return Math.abs(got - value) <= allowed[element]! * tolerance!
      })
      if (at !== undefined) return `${where}, ${at}`
      if (!sameBytes(left, call.left) || !sameBytes(right, call.right)) return `${where}: a factor was changed`
      if (slots.some((slot) => !slot!.isClean())) return `${where}: bytes beside a matrix were changed`
    }
  }
  return undefined
}

const isNear = (got: number, expected: number): boolean => Math.abs(got - expected) <= 1e-5 * Math.abs(expected)

/** Adds the terms of an element of the result in float64. */
function wideSum(product: Product, { left, right, depth, ...call }: ProductCall, element: number): number {
  const matrices = storedMatrices(product, { left, right, depth, ...call })
  const [row, column] = [Math.floor(element / matrices.into.stride), element % matrices.into.stride]
  const value = new Float32Array(1)
  const at = (name: 'left' | 'right', bytes: Uint8Array, line: number, column: number): number => {
    const { dtype, transposed } = product[name]
    const { stride } = matrices[name]
    decode(dtype, bytes, transposed ? column * stride + line : line * stride + column, value)
    return value[0]!
  }
  let sum = 0
  for (let term = 0; term < depth; term++) sum += at('left', left, row, term) * at('right', right, term, column)
  return sum
}

function findDifference(
  { result }: Product,
  got: Uint8Array,
  expected: Uint8Array,
  isClose: (element: number, got: number, expected: number) => boolean,
): string | undefined {
  const values = (bytes: Uint8Array) => {
    const { buffer } = bytes.slice()
    return result === 'F64' ? new Float64Array(buffer) : new Float32Array(buffer)
  }
  const [x, y] = [values(got), values(expected)]
  const at = y.findIndex((value, element) => !Object.is(x[element], value) && !isClose(element, x[element]!, value))
  return at < 0 ? undefined : `element ${at}: got ${x[at]}, expected ${y[at]}`
}

/** Sums of the terms' magnitudes, at the places of the result. */
async function magnitudes(product: Product, call: ProductCall, reference: Runtime): Promise<Float64Array> {
  const positive = (bytes: Uint8Array, dtype: Product['left']['dtype']) => {
    const values = new Float32Array(Math.floor(bytes.byteLength / dtypeBytes(dtype)))
    decode(dtype, bytes, 0, values)
    const stored = new Uint8Array(4 * values.length)
    encode('F32', values.map(Math.abs), stored, 0)
    return stored
  }
  const kernel = await reference.compileProduct({
    left: { dtype: 'F32', transposed: product.left.transposed },
    right: { dtype: 'F32', transposed: product.right.transposed },
    result: 'F64',
  })
  const sums = new Float64Array(call.into.byteLength / dtypeBytes(product.result))
  if (call.add) sums.set(new Float64Array(call.into.slice().buffer).map(Math.abs))
  await kernel.run({
    ...call,
    left: positive(call.left, product.left.dtype),
    right: positive(call.right, product.right.dtype),
    into: new Uint8Array(sums.buffer),
  })
  return sums
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i])
