import type { Graph, Value } from './graph.ts'
import { names } from './names.ts'
import type { Operators } from './operators.ts'

/**
 * Adds the nodes that give the position of each value in its row, ascending. TopK over all of a row sorts it, but leaves equal values in
 * any order on CUDA, where a row has more than 256: they are numbered as groups, and what sorts a second time is the group with
 * the position of the value in the row, of which none is equal to another. The order that comes up is inverted by scattering. Doubles have room for
 * NaN above infinity, and for all positions within all groups, as long as a row has less than 2^26 values.
 */
export function rankOf(graph: Graph, op: Operators, value: Value): Value {
  const elements = graph.full(value)
  const wide = op.cast(elements, 'float64')
  const finite = op.where(op.less(op.double(1e300), wide), op.double(1e300), wide)
  const ordered = op.where(op.isNaN(wide), op.double(1e301), finite)
  const columnCount = graph.input(names.columnCount, 'int64', [1])
  const sort = (data: Value) =>
    graph.nodes('TopK', [data, columnCount], 2, { axis: { int: 1 }, largest: { int: 0 }, sorted: { int: 1 } })
  const [sorted, anyOrder] = sort(ordered)
  const before = graph.node('Slice', [
    graph.node('Pad', [sorted!, graph.integers([0, 1, 0, 0]), op.double(-1e301)]),
    graph.integers([0]),
    graph.integers([-1]),
    graph.integers([1]),
  ])
  const isNew = op.cast(op.less(before, sorted!), 'float64')
  const group = op.mul(graph.node('CumSum', [isNew, graph.integers([1])]), op.cast(columnCount, 'float64'))
  const [key] = sort(op.add(group, op.cast(anyOrder!, 'float64')))
  const order = op.cast(op.sub(key!, group), 'int64')
  const positions = graph.full(graph.input(names.columnNumbers, 'float32', [1, 'columns']))
  return graph.node('ScatterElements', [elements, order, positions], { axis: { int: 1 } })
}
