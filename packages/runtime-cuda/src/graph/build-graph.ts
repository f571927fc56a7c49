import { checkProgram, type Instruction, type Program } from '@mk/tensor/runtime'
import type { ElementType } from '../onnx/model.ts'
import { expOf, logOf } from './elementary.ts'
import { createGraph, type Graph, type Value } from './graph.ts'
import { names } from './names.ts'
import { createOperators, type Operators } from './operators.ts'
import { addOutput } from './outputs.ts'
import { rankOf } from './rank.ts'
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

/** @throws TensorError 'program' */
export function buildGraph(program: Program): BuiltGraph {
  const kinds = checkProgram(program)
  const graph = createGraph()
  const op = createOperators(graph)
  const scalars = [
    ...new Set(program.instructions.flatMap((instruction) => (instruction.op === 'scalar' ? [instruction.slot] : []))),
  ]
  const scalarValues = splitScalars(graph, scalars.length)
  const values: Value[] = []
  program.instructions.forEach((instruction, position) => {
    values.push(
      lowerInstruction(
        { program, graph, op, values, scalar: (slot) => scalarValues[scalars.indexOf(slot)]! },
        instruction,
        position,
      ),
    )
  })
  program.outputs.forEach((output, index) => addOutput(graph, op, output, index, values, kinds))
  return { model: graph.encode(), scalars, bytesPerElement: graph.bytesPerElement() }
}

function splitScalars(graph: Graph, count: number): Value[] {
  if (count === 0) return []
  const together = graph.input(names.scalars, 'float32', [count])
  return count === 1
    ? [together]
    : graph.nodes('Split', [together], count, { axis: { int: 0 }, num_outputs: { int: count } })
}

interface Lowering {
  readonly program: Program
  readonly graph: Graph
  readonly op: Operators
  readonly values: readonly Value[]
  scalar(slot: number): Value
}

function lowerInstruction(
  { program, graph, op, values, scalar }: Lowering,
  instruction: Instruction,
  position: number,
): Value {
  const at = (operand: number) => values[operand]!
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
    case 'rank':
      return rankOf(graph, op, at(instruction.a))
    case 'neg':
      return graph.node('Neg', [at(instruction.a)])
    case 'abs':
      return graph.node('Abs', [at(instruction.a)])
    case 'sqrt':
      return graph.node('Sqrt', [at(instruction.a)])
    case 'exp':
      return expOf(graph, op, at(instruction.a))
    case 'log':
      return logOf(graph, op, at(instruction.a))
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'minimum':
    case 'maximum':
    case 'and':
    case 'or':
      return op[instruction.op](at(instruction.a), at(instruction.b))
    case 'lt':
      return op.less(at(instruction.a), at(instruction.b))
    case 'le':
      return op.lessOrEqual(at(instruction.a), at(instruction.b))
    case 'gt':
      return op.less(at(instruction.b), at(instruction.a))
    case 'ge':
      return op.lessOrEqual(at(instruction.b), at(instruction.a))
    case 'eq':
      return op.equal(at(instruction.a), at(instruction.b))
    case 'ne':
      return op.not(op.equal(at(instruction.a), at(instruction.b)))
    case 'not':
      return op.not(at(instruction.a))
    case 'select':
      return op.where(at(instruction.mask), at(instruction.a), at(instruction.b))
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
