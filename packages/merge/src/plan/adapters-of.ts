import type { LoraSource, TensorSource } from '@mk/source'

/** A product that an adapter adds to a tensor: scale · B·A, transposed where the tensor is stored so. */
export type AddedProduct = Pick<LoraSource, 'a' | 'b' | 'scale' | 'transposed'>

/** Takes what adapters add off a tensor. @returns the tensor beneath all of them, and the products, the first adapter's first */
export function takeApart(source: TensorSource): {
  readonly root: TensorSource
  readonly products: readonly AddedProduct[]
} {
  if (source.kind !== 'lora') return { root: source, products: [] }
  const { root, products } = takeApart(source.source)
  const { a, b, scale, transposed } = source
  return { root, products: [...products, { a, b, scale, transposed }] }
}

/** Tells sources apart: those of one key have the same elements. */
export const sourceKey = (source: TensorSource): string => JSON.stringify(source)

/**
 * Finds the products whose sum one tensor is more than another, where both are the same tensor with adapters over it.
 * @returns undefined where they are not, or products lie both ways, so that nothing is known without elements
 */
export function adaptersOf(source: TensorSource, base: TensorSource): readonly AddedProduct[] | undefined {
  const [own, under] = [takeApart(source), takeApart(base)]
  if (sourceKey(own.root) !== sourceKey(under.root)) return undefined
  const shared = under.products.findIndex((product, i) => JSON.stringify(product) !== JSON.stringify(own.products[i]))
  const from = shared < 0 ? under.products.length : shared
  const products = [
    ...own.products.slice(from),
    ...under.products.slice(from).map((product) => ({ ...product, scale: -product.scale })),
  ]
  return products.every(({ transposed }) => transposed === products[0]!.transposed) ? products : undefined
}
