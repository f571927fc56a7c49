import { dtypeBytes, type Dtype } from '@mk/safetensors'
import { decode } from '../numbers/dtypes.ts'
import { PRODUCT_DEPTH, type Product, type ProductCall, type StoredMatrix, storedMatrices } from '../product/product.ts'

/** Multiplies two matrices as `Product` says: the definition. */
export function multiply(product: Product, call: ProductCall): void {
  const { rows, columns, depth, add } = call
  const matrices = storedMatrices(product, call)
  const resultBytes = dtypeBytes(product.result)
  const into = new DataView(call.into.buffer, call.into.byteOffset, call.into.byteLength)
  const widened = (bytes: Uint8Array, dtype: Dtype, matrix: StoredMatrix, transposed: boolean) => {
    const values = new Float32Array(matrix.rows * matrix.columns)
    for (let row = 0; row < matrix.rows; row++)
      decode(dtype, bytes, row * matrix.stride, values.subarray(row * matrix.columns, (row + 1) * matrix.columns))
    return transposed ? transpose(values, matrix) : values
  }
  // Both by rows whose elements are the terms.
  const left = widened(call.left, product.left.dtype, matrices.left, product.left.transposed)
  const right = widened(call.right, product.right.dtype, matrices.right, !product.right.transposed)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = (row * matrices.into.stride + column) * resultBytes
      let total = add ? into.getFloat64(at, true) : 0
      for (let start = 0; start < depth; start += PRODUCT_DEPTH) {
        const end = Math.min(start + PRODUCT_DEPTH, depth)
        let sum = 0
        for (let k = start; k < end; k++)
          sum = Math.fround(sum + Math.fround(left[row * depth + k]! * right[column * depth + k]!))
        total += sum
      }
      if (product.result === 'F64') into.setFloat64(at, total, true)
      else into.setFloat32(at, total, true)
    }
  }
}

function transpose(values: Float32Array, { rows, columns }: StoredMatrix): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!
  return turned
}
