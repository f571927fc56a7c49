import type { Dtype } from '@mk/safetensors'
import { TensorError } from '../errors.ts'
import type { MatrixSide } from '../language/dense-matrix.ts'
import type { Expression } from '../language/operations.ts'
import { PRODUCT_DEPTH } from '../product/product.ts'
import { type Lowered, lower } from '../program/lower.ts'
import type { LowerRequest, TimesNode } from '../program/lower-request.ts'
import { matrixColumns } from '../program/matrix-columns.ts'
import { needsWholeRows } from '../program/requirements.ts'
import type { Program } from '../program/program.ts'
import type { ElementRange } from '../stages/chunks.ts'

/** A kernel over a block, whose inputs are those of the tensor and then products that earlier steps made. */
export interface ElementStep {
  readonly kind: 'elements'
  readonly program: Program
  readonly programKey: string
  readonly scalars: readonly number[]
  readonly vectors: readonly Float32Array[]
  /** Steps whose results are the inputs after those of the tensor. */
  readonly products: readonly number[]
}

/** The product of an earlier step's result with a matrix. */
export interface TimesStep {
  readonly kind: 'times'
  readonly value: number
  readonly matrix: Float32Array
  readonly rows: number
  readonly columns: number
}

/** One step of a `BlockPlan`. */
export type BlockStep = ElementStep | TimesStep

/** What is computed of a matrix block by block, as plain data: steps in their order, each of float32 in memory but for the last one of a pass that writes. */
export interface BlockPlan {
  /** The side that blocks have whole: on 'columns' they are rows, on 'rows' columns. */
  readonly on: MatrixSide
  /** Of the tensor. */
  readonly rows: number
  readonly columns: number
  /** What the steps but the last are laid out in: F32, full width. */
  readonly steps: readonly BlockStep[]
  /** Lines (rows of the tensor on 'columns', else columns) that a block has at most: a multiple of PRODUCT_DEPTH, or all. */
  readonly blockLines: number
}

/** Products of two steps' results, over all lines. */
export interface CrossStep {
  readonly left: number
  readonly right: number
}

/** Carries out cross products over all blocks of a plan, in their order. @returns the elements of each, row-major */
export type RunProducts = (
  plan: BlockPlan,
  requests: readonly CrossStep[],
  ranges: readonly ElementRange[],
) => Promise<readonly Float64Array[]>

/** About so many elements make a block. Sums go over the blocks in their order, and blocks are cut where sums may be (`PRODUCT_DEPTH`). */
const BLOCK_ELEMENTS = 2 ** 20

/** Collects the steps of one plan. */
export interface BlockBuilder {
  /** Adds what computes an expression. @returns the step, and the lengths of its lines' other side */
  value(expression: Expression): { readonly step: number; readonly width: number }
  /** Adds a kernel with outputs of its own. @throws what `lower` throws */
  outputs(request: LowerRequest): number
  finish(): BlockPlan
}

/**
 * Begins a plan over a tensor of two dimensions.
 * @param on absent: the side of the first product that turns up
 * @throws TensorError 'product-sizes' as soon as something doesn't fit
 */
export function createBlockBuilder(
  shape: readonly number[],
  inputDtypes: readonly Dtype[],
  on?: MatrixSide,
): BlockBuilder {
  if (shape.length !== 2)
    throw new TensorError({
      code: 'product-sizes',
      what: 'the tensor',
      got: `of shape [${shape.join(', ')}]`,
      expected: 'one of two dimensions',
    })
  const [rows, columns] = shape as [number, number]
  let side = on
  let wholeRows = false
  const steps: BlockStep[] = []
  const known = new Map<Expression, { readonly step: number; readonly width: number }>()
  const full = () => (side === 'rows' ? rows : columns)

  const times = ({ value: inner, matrix, on: ownSide }: TimesNode) => {
    side ??= ownSide
    if (ownSide !== side)
      throw new TensorError({
        code: 'product-sizes',
        what: 'a side',
        got: ownSide,
        expected: `${side}, as of the others`,
      })
    const { step, width } = value(inner)
    const [meeting, resulting] = side === 'columns' ? [matrix.rows, matrix.columns] : [matrix.columns, matrix.rows]
    if (meeting !== width)
      throw new TensorError({
        code: 'product-sizes',
        what: 'the matrix',
        got: `${matrix.rows} × ${matrix.columns}`,
        expected: `${width} ${side === 'columns' ? 'rows' : 'columns'}`,
      })
    const values = Float32Array.from(matrix.values)
    steps.push({ kind: 'times', value: step, matrix: values, rows: matrix.rows, columns: matrix.columns })
    return { step: steps.length - 1, width: resulting }
  }

  const elements = (lowered: Lowered): number => {
    const products = (lowered.products ?? []).map((node) => {
      const { step, width } = value(node)
      if (width !== full())
        throw new TensorError({
          code: 'product-sizes',
          what: 'a product among elements',
          got: `${width} wide`,
          expected: `${full()}, as the tensor is`,
        })
      return step
    })
    const columnsSeen = matrixColumns(lowered, shape)
    if (columnsSeen !== columns)
      throw new TensorError({
        code: 'product-sizes',
        what: 'the matrix of its vectors',
        got: `${columnsSeen} columns wide`,
        expected: `${columns}, as the tensor is`,
      })
    wholeRows ||= needsWholeRows(lowered.program)
    const { program, key, scalars, vectors } = lowered
    steps.push({ kind: 'elements', program, programKey: key, scalars, vectors, products })
    return steps.length - 1
  }

  function value(expression: Expression): { readonly step: number; readonly width: number } {
    const found = known.get(expression)
    if (found !== undefined) return found
    const made =
      typeof expression === 'object' && expression?.op === 'times'
        ? times(expression)
        : {
            step: elements(lower({ stores: [{ value: expression, dtype: 'F32' }], products: true }, inputDtypes)),
            width: full(),
          }
    known.set(expression, made)
    return made
  }

  return {
    value,
    outputs: (request) => elements(lower({ ...request, products: true }, inputDtypes)),
    finish() {
      const final = side ?? 'columns'
      const [across, lines] = final === 'columns' ? [columns, rows] : [rows, columns]
      // Ranks are of whole rows, which columns cut.
      const blocks =
        wholeRows && final === 'rows' ? Infinity : Math.floor(BLOCK_ELEMENTS / (PRODUCT_DEPTH * Math.max(across, 1)))
      const blockLines = Math.min(Math.max(1, blocks) * PRODUCT_DEPTH, Math.max(lines, 1))
      return { on: final, rows, columns, steps, blockLines }
    },
  }
}

/** Lists the blocks of a plan as ranges of elements: on 'rows', of the columns' elements as if the matrix were transposed. */
export function blockRanges({ on, rows, columns, blockLines }: BlockPlan): ElementRange[] {
  const [across, lines] = on === 'columns' ? [columns, rows] : [rows, columns]
  const ranges: ElementRange[] = []
  if (across === 0) return ranges
  for (let line = 0; line < lines; line += blockLines)
    ranges.push({ start: line * across, end: Math.min(line + blockLines, lines) * across })
  return ranges
}
