import { describe, expect, it } from 'vitest'
import type { ProductCall } from '../product/product.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { createPlace } from './place.ts'
import { productCases } from './product-cases.ts'
import { differenceInProduct } from './run-product.ts'

/** What is found where `meddle` changes what the reference runtime gives. */
async function difference(name: RegExp, meddle: (call: ProductCall) => void, tolerance?: number) {
  const reference = createReferenceRuntime()
  const runtime: Runtime = {
    ...createReferenceRuntime(),
    compileProduct: async (product) => {
      const kernel = await reference.compileProduct(product)
      return {
        async run(call) {
          await kernel.run(call)
          meddle(call)
        },
      }
    },
  }
  const productCase = productCases().find((one) => name.test(one.name))!
  return differenceInProduct(productCase, reference, runtime, [() => createPlace(undefined, 0)], tolerance)
}

const scale = (factor: number) => (call: ProductCall) => {
  const values = new Float32Array(call.into.slice().buffer).map((value) => value * factor)
  call.into.set(new Uint8Array(values.buffer))
}

describe('the suite of products', () => {
  it('passes what changes nothing', async () => {
    expect(await difference(/all sizes/, () => {})).toBe(undefined)
  })

  it('notices one wrong bit', async () => {
    const flip = (call: ProductCall) => {
      if (call.rows === 7) call.into[8]! ^= 1
    }
    expect(await difference(/all sizes/, flip)).toMatch(/^call 7, place 0, element 2: got /)
  })

  it('notices factors written to, and bytes beside the result', async () => {
    expect(await difference(/all sizes/, (call) => void call.left.fill(0))).toMatch(/a factor was changed/)
    expect(
      await difference(/all sizes/, ({ into }) => {
        new Uint8Array(into.buffer)[into.byteOffset + into.byteLength] = 0
      }),
    ).toMatch(/bytes beside a matrix were changed/)
  })

  it('lets a tolerance pass what is within it, and what overflows be not finite in another way', async () => {
    expect(await difference(/all sizes/, scale(1 + 1e-6))).toMatch(/element/)
    expect(await difference(/all sizes/, scale(1 + 1e-6), 1e-5)).toBe(undefined)
    expect(await difference(/all sizes/, scale(1.1), 1e-5)).toMatch(/element/)
    const turn = ({ into, depth }: ProductCall) => {
      if (depth === 2) into.set(new Uint8Array(Float32Array.of(Infinity).buffer), 4)
    }
    expect(await difference(/not finite/, turn)).toMatch(/^call 2.*got Infinity, expected NaN/)
    expect(await difference(/not finite/, turn, 1e-5)).toBe(undefined)
  })

  it('names each case once', () => {
    const names = productCases().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})
