import type { Dtype } from '@mk/safetensors'
import { dtypeBytes } from '@mk/safetensors'
import { type Factor, type Product, type ProductCall, productKey } from '../product/product.ts'
import { allDtypes, numbers, special, stored } from './data.ts'

/** A product and some of its calls, in order, whose results must be those of the reference runtime. */
export interface ProductCase {
  /** Starts with the group, as in 'product: long sums'. */
  readonly name: string
  readonly group: 'product'
  readonly product: Product
  /** Built when the case runs; `into` has what the call finds there. */
  readonly calls: () => readonly ProductCall[]
}

const plain = (dtype: Dtype): Factor => ({ dtype, transposed: false })
const turned = (dtype: Dtype): Factor => ({ dtype, transposed: true })

/** Rows, columns and depth: nothing, single ones, parts of tiles, and more than a block of each. */
const sizes = [
  [0, 3, 4],
  [3, 0, 4],
  [3, 4, 0],
  [1, 1, 1],
  [1, 9, 5],
  [5, 1, 300],
  [4, 8, 256],
  [7, 13, 257],
  [66, 30, 20],
  [261, 5, 9],
  [3, 517, 11],
  [2, 3, 1030],
] as const

/** Lists what a runtime must multiply as the reference runtime does. */
export function productCases(): ProductCase[] {
  const casesOf = (name: string, product: Product, calls: () => readonly ProductCall[]): ProductCase => ({
    name: `product: ${name}, ${productKey(product)}`,
    group: 'product',
    product,
    calls,
  })
  const orders = [plain, turned].flatMap((left) => [plain, turned].map((right) => [left, right] as const))
  return [
    ...orders.flatMap(([left, right]) =>
      (['F32', 'F64'] as const).map((result) => {
        const product = { left: left('F32'), right: right('F32'), result }
        return casesOf('all sizes', product, () =>
          sizes.map((size, index) => sketch(product, size, { seed: 10 * index + 1 })),
        )
      }),
    ),
    ...allDtypes
      .filter((dtype) => dtype !== 'F32')
      .flatMap((dtype) =>
        orders.map(([left, right]) => {
          const product: Product = { left: left(dtype), right: right(dtype), result: 'F32' }
          return casesOf('stored elements', product, () => [sketch(product, [6, 11, 19], { seed: 5 })])
        }),
      ),
    ...orders.map(([left, right]) => {
      const product: Product = { left: left('F32'), right: right('BF16'), result: 'F64' }
      return casesOf('sums that go on, rows with space between them', product, () => [
        sketch(product, [9, 10, 512], { seed: 1, gap: 3, add: true }),
        sketch(product, [5, 12, 37], { seed: 2, gap: 7, add: true }),
        sketch(product, [5, 12, 0], { seed: 3, gap: 7, add: true }),
      ])
    }),
    ...orders.map(([left, right]) => {
      const product: Product = { left: left('F32'), right: right('F32'), result: 'F32' }
      return casesOf('numbers that are not finite, overflow, and zeros', product, () => [
        { ...sketch(product, [special.length, 3, 1], { seed: 1 }), left: stored('F32', special) },
        { ...sketch(product, [1, 1, special.length], { seed: 2 }), left: stored('F32', special) },
        {
          ...sketch(product, [2, 2, 2], { seed: 3 }),
          left: stored('F32', Float32Array.of(3e38, 3e38, 0, -0)),
          right: stored('F32', Float32Array.of(3, -3, Infinity, 2)),
        },
      ])
    }),
  ]
}

interface Sketch {
  readonly seed: number
  /** Elements between a row and the next. */
  readonly gap?: number
  readonly add?: boolean
}

function sketch(
  { left, right, result }: Product,
  [rows, columns, depth]: readonly [number, number, number],
  { seed, gap = 0, add = false }: Sketch,
): ProductCall {
  const [leftStride, rightStride, intoStride] = [
    (left.transposed ? rows : depth) + gap,
    (right.transposed ? depth : columns) + gap,
    columns + gap,
  ]
  const into = new Uint8Array(rows * intoStride * dtypeBytes(result))
  if (add) new Float64Array(into.buffer).set(numbers(rows * intoStride, seed + 2))
  return {
    rows,
    columns,
    depth,
    left: stored(left.dtype, numbers((left.transposed ? depth : rows) * leftStride, seed)),
    right: stored(right.dtype, numbers((right.transposed ? columns : depth) * rightStride, seed + 1)),
    into,
    leftStride,
    rightStride,
    intoStride,
    add,
  }
}
