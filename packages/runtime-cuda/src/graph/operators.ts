import { type ElementType, elementTypes } from '../onnx/model.ts'
import type { Graph, Value } from './graph.ts'

/**
 * Operators by name. Where ONNX Runtime's own differ from what a program means, or where its CUDA provider has not yet
 * registered the newest version, they are put together from others.
 */
export interface Operators {
  float(value: number): Value
  double(value: number): Value
  add(a: Value, b: Value): Value
  sub(a: Value, b: Value): Value
  mul(a: Value, b: Value): Value
  div(a: Value, b: Value): Value
  less(a: Value, b: Value): Value
  lessOrEqual(a: Value, b: Value): Value
  equal(a: Value, b: Value): Value
  isNaN(a: Value): Value
  and(a: Value, b: Value): Value
  or(a: Value, b: Value): Value
  not(a: Value): Value
  where(mask: Value, a: Value, b: Value): Value
  minimum(a: Value, b: Value): Value
  maximum(a: Value, b: Value): Value
  floor(a: Value): Value
  cast(a: Value, to: ElementType): Value
  bitCast(a: Value, to: ElementType): Value
}

/** Makes the operators that add to a graph. */
export function createOperators(graph: Graph): Operators {
  const binary = (operator: string) => (a: Value, b: Value) => graph.node(operator, [a, b])
  const unary = (operator: string) => (a: Value) => graph.node(operator, [a])
  const float = (value: number) => graph.number('float32', value)
  const less = binary('Less')
  const lessOrEqual = binary('LessOrEqual')
  const and = binary('And')
  const or = binary('Or')
  const not = unary('Not')
  const where = (mask: Value, a: Value, b: Value) => graph.node('Where', [mask, a, b])
  const div = binary('Div')
  const equal = (a: Value, b: Value) => and(lessOrEqual(a, b), lessOrEqual(b, a))
  const isNaN = (a: Value) => not(lessOrEqual(a, a))
  const pick = (first: (a: Value, b: Value) => Value) => (a: Value, b: Value) => where(or(first(a, b), isNaN(a)), a, b)
  return {
    float,
    double: (value) => graph.number('float64', value),
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div,
    less,
    lessOrEqual,
    equal,
    isNaN,
    and,
    or,
    not,
    where,
    minimum: pick(less),
    maximum: pick((a, b) => less(b, a)),
    floor: unary('Floor'),
    cast: (a, to) => graph.node('Cast', [a], { to: { int: elementTypes[to] } }),
    bitCast: (a, to) => graph.node('BitCast', [a], { to: { int: elementTypes[to] } }),
  }
}
