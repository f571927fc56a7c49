import { dtypeBytes } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import { type Product, type ProductCall, storedMatrices } from './product.ts'

/**
 * Sees to it that a call fits its product: sizes, strides, and buffers that hold the matrices.
 * @throws TensorError 'malformed-call'
 */
export function checkProductCall(product: Product, call: ProductCall): void {
  const need = (holds: boolean, problem: string): void => {
    if (!holds) throw new TensorError({ code: 'malformed-call', problem })
  }
  for (const size of ['rows', 'columns', 'depth'] as const)
    need(Number.isSafeInteger(call[size]) && call[size] >= 0, `${size} is ${call[size]}`)
  need(!call.add || product.result === 'F64', 'sums go on only in a result of F64')
  const matrices = storedMatrices(product, call)
  const dtypes = { left: product.left.dtype, right: product.right.dtype, into: product.result }
  for (const name of ['left', 'right', 'into'] as const) {
    const { rows, columns, stride } = matrices[name]
    need(
      Number.isSafeInteger(stride) && stride >= columns,
      `${name} has rows of ${columns} elements, but a stride of ${stride}`,
    )
    const expected = rows === 0 || columns === 0 ? 0 : ((rows - 1) * stride + columns) * dtypeBytes(dtypes[name])
    need(
      call[name].byteLength >= expected,
      `${name} (${dtypes[name]}) has ${call[name].byteLength} bytes, expected ${expected}`,
    )
  }
}
