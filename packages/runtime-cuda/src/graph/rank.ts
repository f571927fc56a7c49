import type { Graph, Value } from './graph.ts'
import { names } from './names.ts'
import type { Operators } from './operators.ts'

/**
 * Adds the nodes that give the position of each value in its row, ascending. TopK over all of a row sorts it, and takes equal values by position; the
 * order it comes up with is inverted by scattering. Doubles have room for NaN above infinity.
 */
export function rankOf(graph: Graph, op: Operators, value: Value): Value {
  const elements = graph.full(value)
  const wide = op.cast(elements, 'float64')
  const finite = op.where(op.less(op.double(1e300), wide), op.double(1e300), wide)
  const ordered = op.where(op.isNaN(wide), op.double(1e301), finite)
  const columnCount = graph.input(names.columnCount, 'int64', [1])
  const [, order] = graph.nodes('TopK', [ordered, columnCount], 2, {
    axis: { int: 1 },
    largest: { int: 0 },
    sorted: { int: 1 },
  })
  const positions = graph.full(graph.input(names.columnNumbers, 'float32', [1, 'columns']))
  return graph.node('ScatterElements', [elements, order!, positions], { axis: { int: 1 } })
}
