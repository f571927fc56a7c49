import { type Expression, isOperation, type Mask, type Operand, operations } from '../../language/operations.ts'
import type { ElementRange } from '../chunks.ts'

/**
 * Makes of a value one for the elements of some ranges, put one after the other as a single row: in the place of a vector it has what that
 * has for each of them. @param columns of the tensor seen as the matrix that the vectors are for
 */
export function gatherVectors(value: Operand, ranges: readonly ElementRange[], columns: number): Operand {
  const known = new Map<object, Expression | Mask>()
  const visit = (node: Expression | Mask): Expression | Mask => {
    let gathered = known.get(node)
    if (gathered === undefined) known.set(node, (gathered = gather(node)))
    return gathered
  }
  const gather = (node: Expression | Mask): Expression | Mask => {
    if (node.op === 'vector') {
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

function valuesAt(
  values: Float32Array,
  ranges: readonly ElementRange[],
  indexOf: (index: number) => number,
): Float32Array {
  const gathered = new Float32Array(ranges.reduce((sum, { start, end }) => sum + end - start, 0))
  let position = 0
  for (const { start, end } of ranges) {
    for (let index = start; index < end; index++) gathered[position++] = values[indexOf(index)]!
  }
  return gathered
}
