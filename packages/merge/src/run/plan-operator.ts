import type { Dtype } from '@mk/safetensors'
import type { DenseMatrix, Expression, MatrixSide } from '@mk/tensor'
import { type BlockPlan, createBlockBuilder, lower } from '@mk/tensor/runtime'

/** Elements that blocks give: those of one step of a plan. */
export interface BlockValues {
  readonly plan: BlockPlan
  readonly step: number
}

/** What a matrix that streams does to others, as plain data. */
export type OperatorPlan =
  | { readonly kind: 'elements'; readonly values: BlockValues }
  /** of·matrix on 'columns', matrix·of on 'rows': what is multiplied by it meets the matrix first, and is narrow. */
  | { readonly kind: 'times'; readonly of: OperatorPlan; readonly matrix: DenseMatrix; readonly on: MatrixSide }
  | { readonly kind: 'sum'; readonly terms: readonly { readonly factor: number; readonly of: OperatorPlan }[] }

/** A tensor of two dimensions. */
export interface MatrixInputs {
  readonly shape: readonly number[]
  /** By slot. */
  readonly inputDtypes: readonly Dtype[]
}

/** Plans the blocks that give the elements of an expression. @throws TensorError 'product-sizes' */
export function planValues(value: Expression, { shape, inputDtypes }: MatrixInputs): BlockValues {
  const builder = createBlockBuilder(shape, inputDtypes)
  const { step } = builder.value(value)
  return { plan: builder.finish(), step }
}

/** Takes an expression apart into what is linear in products with matrices, so that none of these has to be computed. */
export function planOperator(value: Expression, inputs: MatrixInputs): OperatorPlan {
  const visit = (node: Expression): OperatorPlan => {
    if (node.op === 'number' && node.value === 0) return { kind: 'sum', terms: [] }
    if (!hasProducts(node, inputs)) return { kind: 'elements', values: planValues(node, inputs) }
    switch (node.op) {
      case 'times':
        return { kind: 'times', of: visit(node.value), matrix: node.matrix, on: node.on }
      case 'neg':
        return sumOf([[-1, node.a as Expression]])
      case 'add':
      case 'sub':
        return sumOf([
          [1, node.a as Expression],
          [node.op === 'add' ? 1 : -1, node.b as Expression],
        ])
      case 'mul':
      case 'div': {
        const [a, b] = [node.a as Expression, node.b as Expression]
        if (b.op === 'number') return sumOf([[node.op === 'mul' ? b.value : 1 / b.value, a]])
        if (a.op === 'number' && node.op === 'mul') return sumOf([[a.value, b]])
        break
      }
    }
    return { kind: 'elements', values: planValues(node, inputs) }
  }
  const sumOf = (terms: readonly (readonly [number, Expression])[]): OperatorPlan => ({
    kind: 'sum',
    terms: terms.map(([factor, term]) => ({ factor, of: visit(term) })),
  })
  return visit(value)
}

function hasProducts(value: Expression, { inputDtypes }: MatrixInputs): boolean {
  const lowered =
    value.op === 'times' ? undefined : lower({ stores: [{ value, dtype: 'F32' }], products: true }, inputDtypes)
  return lowered === undefined || lowered.products !== undefined
}
