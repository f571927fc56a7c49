import { kindOf, type Program, type ProgramOutput, reducers } from '@mk/tensor/runtime'
import type { Graph, Value } from './graph.ts'
import { names } from './names.ts'
import type { Operators } from './operators.ts'
import { inGraph } from './stored-types.ts'

type Reduce = Extract<ProgramOutput, { kind: 'reduce' }>

export interface Outgoing {
  readonly program: Program
  readonly graph: Graph
  readonly op: Operators
  /** By instruction. */
  readonly values: readonly Value[]
}

/** Adds what leaves the graph for an output of the program; call/results.ts makes the result of it. */
export function addOutput({ program, graph, op, values }: Outgoing, output: ProgramOutput, index: number): void {
  const name = names.output(index)
  switch (output.kind) {
    case 'store': {
      const value = graph.full(values[output.value]!)
      const type = inGraph(output.dtype)
      const rounded = type === undefined || type.bits === 'float32' ? value : op.cast(value, type.bits)
      return graph.output(
        name,
        type?.wire ?? 'float32',
        ['rows', 'columns'],
        type?.wire === 'uint16' ? op.bitCast(rounded, 'uint16') : rounded,
      )
    }
    case 'reduce': {
      const value = values[output.value]!
      const numbers = graph.full(
        kindOf(program.instructions[output.value]!) === 'mask' ? op.where(value, op.float(1), op.float(0)) : value,
      )
      // In float32 nobody says in which order the operators add.
      if (output.reduce === 'quickSum') return graph.output(name, 'float32', ['rows', 'columns'], numbers)
      return output.reduce === 'sum'
        ? addSum(graph, op, output, index, numbers)
        : addExtreme(graph, op, output, index, numbers)
    }
    case 'histogram':
    case 'collect':
      return graph.output(name, 'float32', ['rows', 'columns'], graph.full(values[output.value]!))
    case 'locate':
      return graph.output(name, 'bool', ['rows', 'columns'], graph.full(values[output.mask]!))
    default:
      return output satisfies never
  }
}

/**
 * Sums down columns, since those ONNX Runtime adds in order: along the tensor and along rows, element i goes to column
 * i mod 4 of a matrix, which makes the four accumulators of the definition.
 */
function addSum(graph: Graph, op: Operators, { per }: Reduce, index: number, value: Value): void {
  const reshape = (data: Value, ...shape: number[]) => graph.node('Reshape', [data, graph.integers(shape)])
  const name = names.output(index)
  const sumDown = (data: Value) =>
    graph.node('ReduceSum', [op.cast(data, 'float64'), graph.integers([0])], { keepdims: { int: 0 } })
  switch (per) {
    case 'tensor': {
      const padded = graph.node('Pad', [reshape(value, -1), graph.input(names.tensorPads, 'int64', [2])])
      return graph.output(name, 'float64', [4], sumDown(reshape(padded, -1, 4)))
    }
    case 'row': {
      const padded = graph.node('Pad', [value, graph.input(names.rowPads, 'int64', [4])])
      const accumulators = graph.node('Transpose', [reshape(padded, 0, -1, 4)], { perm: { ints: [1, 0, 2] } })
      return graph.output(name, 'float64', ['accumulators'], sumDown(reshape(accumulators, 0, -1)))
    }
    case 'column':
      return graph.output(name, 'float64', ['columns'], sumDown(value))
    default:
      per satisfies never
  }
}

function addExtreme(graph: Graph, op: Operators, { per, reduce }: Reduce, index: number, value: Value): void {
  const axes = graph.integers(per === 'tensor' ? [0, 1] : per === 'row' ? [1] : [0])
  const shape = per === 'tensor' ? [] : [per === 'row' ? 'rows' : 'columns']
  const extreme = (data: Value, operator = reduce === 'min' ? 'ReduceMin' : 'ReduceMax') =>
    graph.node(operator, [data, axes], { keepdims: { int: 0 } })
  const isNaN = op.isNaN(value)
  const known = op.where(isNaN, op.float(reducers[reduce].empty), value)
  graph.output(names.output(index), 'float32', shape, extreme(known))
  graph.output(names.hasNaN(index), 'float32', shape, extreme(op.where(isNaN, op.float(1), op.float(0)), 'ReduceMax'))
}
