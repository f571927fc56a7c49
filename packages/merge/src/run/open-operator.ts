import { createMatrix, LinalgError, type Matrix, type Operator } from '@mk/linalg'
import { type BlockHost, blockRanges, type OpenBlocks, openBlocks, type ProductKernel } from '@mk/tensor/runtime'
import type { BlockValues, OperatorPlan } from './plan-operator.ts'

/** The products of an operator. */
type Products = Pick<Operator, 'multiply' | 'multiplyTransposed'>

/**
 * Opens an operator: products with what is planned, block by block, in float32 with float64 sums.
 * @param elements the same matrix as elements, for its norm
 */
export async function openOperator(plan: OperatorPlan, elements: BlockValues, host: BlockHost): Promise<Operator> {
  const kernels = await openKernels(host)
  const { rows, columns } = elements.plan
  const { multiply, multiplyTransposed } = await openProducts(plan, { rows, columns }, host, kernels)
  return {
    rows,
    columns,
    multiply,
    multiplyTransposed,
    async squaredNorm() {
      let sum = 0
      await eachBlock(elements, await openBlocks(elements.plan, host), ({ values }) => {
        for (const value of values) sum += value * value
      })
      if (!Number.isFinite(sum)) throw new LinalgError({ code: 'not-finite-norm', rows, columns })
      return sum
    },
  }
}

interface Kernels {
  /** Of streamed elements with matrices in memory. */
  readonly plain: ProductKernel
  readonly turned: ProductKernel
  /** Of matrices in memory. */
  readonly square: ProductKernel
  readonly squareTurned: ProductKernel
}

async function openKernels({ runtime }: BlockHost): Promise<Kernels> {
  const compile = (dtype: 'F32' | 'F64', transposed: boolean) =>
    runtime.compileProduct({ left: { dtype, transposed }, right: { dtype: 'F64', transposed: false }, result: 'F64' })
  return {
    plain: await compile('F32', false),
    turned: await compile('F32', true),
    square: await compile('F64', false),
    squareTurned: await compile('F64', true),
  }
}

interface Size {
  readonly rows: number
  readonly columns: number
}

async function openProducts(plan: OperatorPlan, size: Size, host: BlockHost, kernels: Kernels): Promise<Products> {
  switch (plan.kind) {
    case 'elements':
      return elementProducts(plan.values, await openBlocks(plan.values.plan, host), kernels)
    case 'times': {
      const { matrix, on } = plan
      const inner =
        on === 'columns' ? { rows: size.rows, columns: matrix.rows } : { rows: matrix.columns, columns: size.columns }
      const of = await openProducts(plan.of, inner, host, kernels)
      const by = async (right: Matrix, isTurned: boolean): Promise<Matrix> => {
        const result = createMatrix(isTurned ? matrix.columns : matrix.rows, right.columns)
        await (isTurned ? kernels.squareTurned : kernels.square).run({
          rows: result.rows,
          columns: result.columns,
          depth: right.rows,
          left: bytesOf(matrix.values),
          right: bytesOf(right.values),
          into: bytesOf(result.values),
        })
        return result
      }
      return on === 'columns'
        ? {
            multiply: async (right) => of.multiply(await by(right, false)),
            multiplyTransposed: async (right) => by(await of.multiplyTransposed(right), true),
          }
        : {
            multiply: async (right) => by(await of.multiply(right), false),
            multiplyTransposed: async (right) => of.multiplyTransposed(await by(right, true)),
          }
    }
    case 'sum': {
      const terms: { readonly factor: number; readonly of: Products }[] = []
      for (const { factor, of } of plan.terms) terms.push({ factor, of: await openProducts(of, size, host, kernels) })
      const sum = async (rows: number, right: Matrix, product: keyof Products): Promise<Matrix> => {
        const total = createMatrix(rows, right.columns)
        for (const { factor, of } of terms) {
          const { values } = await of[product](right)
          for (let i = 0; i < values.length; i++) total.values[i]! += factor * values[i]!
        }
        return total
      }
      return {
        multiply: (right) => sum(size.rows, right, 'multiply'),
        multiplyTransposed: (right) => sum(size.columns, right, 'multiplyTransposed'),
      }
    }
    default:
      return plan satisfies never
  }
}

/** Products with elements that are computed anew each time. */
function elementProducts(elements: BlockValues, open: OpenBlocks, { plain, turned }: Kernels): Products {
  const { on, rows, columns } = elements.plan
  /** Adds up over blocks that are columns of the left factor. */
  const add = async (kernel: ProductKernel, size: number, right: Matrix): Promise<Matrix> => {
    const result = createMatrix(size, right.columns)
    await eachBlock(elements, open, ({ values, first, lines }) =>
      kernel.run({
        rows: size,
        columns: right.columns,
        depth: lines,
        left: bytesOf(values),
        right: bytesOf(right.values.subarray(first * right.columns)),
        into: bytesOf(result.values),
        add: true,
      }),
    )
    return result
  }
  /** Fills the rows of a block at a time. */
  const fill = async (kernel: ProductKernel, size: number, right: Matrix): Promise<Matrix> => {
    const result = createMatrix(size, right.columns)
    await eachBlock(elements, open, ({ values, first, lines }) =>
      kernel.run({
        rows: lines,
        columns: right.columns,
        depth: right.rows,
        left: bytesOf(values),
        right: bytesOf(right.values),
        into: bytesOf(result.values.subarray(first * right.columns)),
      }),
    )
    return result
  }
  return on === 'columns'
    ? { multiply: (right) => fill(plain, rows, right), multiplyTransposed: (right) => add(turned, columns, right) }
    : { multiply: (right) => add(plain, rows, right), multiplyTransposed: (right) => fill(turned, columns, right) }
}

/** A block's elements, and which lines of the matrix they are. */
interface Block {
  readonly values: Float32Array
  readonly first: number
  readonly lines: number
}

async function eachBlock(
  { plan, step }: BlockValues,
  open: OpenBlocks,
  visit: (block: Block) => void | Promise<void>,
): Promise<void> {
  const across = plan.on === 'columns' ? plan.columns : plan.rows
  for (const range of blockRanges(plan)) {
    await open.run(range)
    const { values, lines } = open.values(step)
    await visit({ values, lines, first: range.start / across })
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)
