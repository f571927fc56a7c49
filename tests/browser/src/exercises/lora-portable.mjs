import { createMatrix, multiply } from '@mk/linalg'
import { alignProducts, compressProduct, joinProducts, storeProduct } from '@mk/lora/portable'

/** A product of rank 1. */
const product = (seed) => {
  const [b, a] = [createMatrix(4, 1), createMatrix(1, 3)]
  b.values.forEach((_, i) => (b.values[i] = Math.sin(seed + i)))
  a.values.forEach((_, i) => (a.values[i] = Math.cos(seed + 2 * i)))
  return { b, a }
}
const numbers = ({ values }) => [...values].map((value) => value.toFixed(6)).join(' ')

const joined = joinProducts([product(1), product(2)])
console.log('joined', joined.a.rows, numbers(multiply(joined.b, joined.a)))
const small = compressProduct(joined, 2)
console.log('compressed', small.a.rows, numbers(multiply(small.b, small.a)))
console.log(
  'aligned',
  Object.keys(alignProducts([product(1), product(2)]))
    .toSorted()
    .join(),
)
console.log('stored', storeProduct(small, 3, 'BF16').b.length)
