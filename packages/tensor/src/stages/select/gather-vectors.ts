import { type Expression, isOperation, type Mask, type Operand, operations } from '../../language/operations.ts'
import { type ElementRange, rangeElements } from '../chunks.ts'

/** How a tensor is seen as a matrix, and the pieces of it that are put one after the other. */
interface Matrices {
  readonly columns: number
  /** Columns of the pieces as a matrix of which each row is of one row of the tensor; undefined where they are a single row. */
  readonly unit: number | undefined
}

/**
 * Makes of a value one for the elements of some ranges, put one after the other: in the place of a vector it has what that has for each of
 * their rows, which have no vectors by columns; or for each of them, where they are a single row.
 */
export function gatherVectors(value: Operand, ranges: readonly ElementRange[], { columns, unit }: Matrices): Operand {
  const known = new Map<object, Expression | Mask>()
  const visit = (node: Expression | Mask): Expression | Mask => {
    let gathered = known.get(node)
    if (gathered === undefined) known.set(node, (gathered = gather(node)))
    return gathered
  }
  const gather = (node: Expression | Mask): Expression | Mask => {
    if (node.op === 'vector') {
      if (unit !== undefined)
        return { op: 'vector', values: valuesOfUnits(node.values, ranges, { columns, unit }), per: 'row' }
      const indexOf = node.per === 'row' ? rowOf(columns) : columnOf(columns)
      return { op: 'vector', values: valuesAt(node.values, ranges, indexOf), per: 'column' }
    }
    if (!isOperation(node.op)) return node
    const operands = node as unknown as Readonly<Record<string, Expression | Mask>>
    const names = Object.keys(operations[node.op].operands)
    if (names.every((name) => visit(operands[name]!) === operands[name])) return node
    return { ...node, ...Object.fromEntries(names.map((name) => [name, visit(operands[name]!)])) } as Expression | Mask
  }
  return typeof value === 'number' ? value : (visit(value) as Expression)
}

const rowOf = (columns: number) => (index: number) => Math.floor(index / columns)
const columnOf = (columns: number) => (index: number) => index % columns

function valuesOfUnits(
  values: Float32Array,
  ranges: readonly ElementRange[],
  { columns, unit }: { readonly columns: number; readonly unit: number },
): Float32Array {
  const gathered = new Float32Array(rangeElements(ranges) / unit)
  let position = 0
  for (const { start, end } of ranges)
    for (let at = start; at < end; at += unit) gathered[position++] = values[Math.floor(at / columns)]!
  return gathered
}

function valuesAt(
  values: Float32Array,
  ranges: readonly ElementRange[],
  indexOf: (index: number) => number,
): Float32Array {
  const gathered = new Float32Array(rangeElements(ranges))
  let position = 0
  for (const { start, end } of ranges) {
    for (let index = start; index < end; index++) gathered[position++] = values[indexOf(index)]!
  }
  return gathered
}
