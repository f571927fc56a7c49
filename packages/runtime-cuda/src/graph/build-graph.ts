import { applyOperation, isSource, type Program, type SourceInstruction } from '@mk/tensor/runtime'
import type { ElementType } from '../onnx/model.ts'
import { createGraph, type Graph, type Value } from './graph.ts'
import { kernels } from './kernels.ts'
import { names } from './names.ts'
import { createOperators, type Operators } from './operators.ts'
import { addOutput } from './outputs.ts'
import { inGraph } from './stored-types.ts'

export interface BuiltGraph {
  /** An ONNX model. */
  readonly model: Uint8Array
  /** The scalar slots whose values are fed, in order, as one tensor. */
  readonly scalars: readonly number[]
  /** An upper bound of what one element takes in memory while the graph runs. */
  readonly bytesPerElement: number
}

/** The elements as rows and columns: whatever the call, the graph sees a matrix, so that vectors broadcast. */
const matrix = ['rows', 'columns'] as const

/** Builds the ONNX graph of a well-formed program. */
export function buildGraph(program: Program): BuiltGraph {
  const graph = createGraph()
  const op = createOperators(graph)
  const scalars = [
    ...new Set(program.instructions.flatMap((instruction) => (instruction.op === 'scalar' ? [instruction.slot] : []))),
  ]
  const scalarValues = splitScalars(graph, scalars.length)
  const values: Value[] = []
  program.instructions.forEach((instruction, position) => {
    values.push(
      isSource(instruction)
        ? read({ program, graph, op, scalar: (slot) => scalarValues[scalars.indexOf(slot)]! }, instruction, position)
        : applyOperation(kernels, instruction, (operand) => values[operand]!, op, graph),
    )
  })
  program.outputs.forEach((output, index) => addOutput({ program, graph, op, values }, output, index))
  return { model: graph.encode(), scalars, bytesPerElement: graph.bytesPerElement() }
}

function splitScalars(graph: Graph, count: number): Value[] {
  if (count === 0) return []
  const together = graph.input(names.scalars, 'float32', [count])
  return count === 1
    ? [together]
    : graph.nodes('Split', [together], count, { axis: { int: 0 }, num_outputs: { int: count } })
}

interface Reading {
  readonly program: Program
  readonly graph: Graph
  readonly op: Operators
  scalar(slot: number): Value
}

/** What the call brings. */
function read({ program, graph, op, scalar }: Reading, instruction: SourceInstruction, position: number): Value {
  switch (instruction.op) {
    case 'input':
      return readInput(graph, op, instruction.slot, inGraph(program.inputs[instruction.slot]!)?.bits)
    case 'scalar':
      return scalar(instruction.slot)
    case 'vector':
      return graph.input(
        names.vector(instruction.slot),
        'float32',
        program.vectors[instruction.slot] === 'row' ? ['rows', 1] : [1, 'columns'],
      )
    case 'uniform':
      return graph.input(names.uniform(position), 'float32', matrix)
    case 'before': {
      const row = graph.input(names.rowNumbers, 'float32', ['rows', 1])
      const column = graph.input(names.columnNumbers, 'float32', [1, 'columns'])
      const [endRow, endColumn] = [
        graph.input(names.endRow(position), 'float32', [1]),
        graph.input(names.endColumn(position), 'float32', [1]),
      ]
      return op.or(op.less(row, endRow), op.and(op.lessOrEqual(row, endRow), op.less(column, endColumn)))
    }
    default:
      return instruction satisfies never
  }
}

function readInput(graph: Graph, op: Operators, slot: number, bits: ElementType | undefined): Value {
  const name = names.input(slot)
  switch (bits) {
    case 'bfloat16':
    case 'float16':
      return op.cast(op.bitCast(graph.input(name, 'uint16', matrix), bits), 'float32')
    case 'float64':
      return op.cast(graph.input(name, 'float64', matrix), 'float32')
    default:
      return graph.input(name, 'float32', matrix)
  }
}
