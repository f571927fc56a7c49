import { EXP, LOG } from '@mk/tensor/runtime'
import type { Graph, Value } from './graph.ts'
import type { Operators } from './operators.ts'

/**
 * exp and log with the steps that @mk/tensor/runtime defines them by, each rounded to float32, since ONNX Runtime's own differ in
 * their last bits from one provider to another. Powers of two come from tables, as there is nothing else that sets an exponent.
 */
const powers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i))

/** Adds the nodes of exp. */
export function expOf(graph: Graph, op: Operators, input: Value): Value {
  const { float, add, sub, mul } = op
  const bounded = op.where(
    op.less(float(EXP.largest), input),
    float(EXP.largest),
    op.where(op.less(input, float(EXP.smallest)), float(EXP.smallest), input),
  )
  const n = op.floor(add(mul(bounded, float(EXP.log2e)), float(0.5)))
  const x = sub(sub(bounded, mul(n, float(EXP.ln2High))), mul(n, float(EXP.ln2Low)))
  const [first, ...rest] = EXP.polynomial
  let y = rest.reduce((sum, coefficient) => add(mul(sum, x), float(coefficient)), float(first!))
  y = add(add(mul(y, mul(x, x)), x), float(1))
  const known = op.where(op.isNaN(n), float(0), n)
  const half = op.floor(mul(known, float(0.5)))
  const table = graph.table('float32', powers(-126, 127))
  const power = (exponent: Value) => graph.node('Gather', [table, op.cast(add(exponent, float(126)), 'int32')])
  return mul(mul(y, power(half)), power(sub(known, half)))
}

/** Adds the nodes of the natural logarithm. */
export function logOf(graph: Graph, op: Operators, input: Value): Value {
  const { float, double, add, sub, mul, where } = op
  const ordinary = op.and(op.less(float(0), input), op.less(input, float(Infinity)))
  const { mantissa, exponent } = split(graph, op, where(ordinary, input, float(1)))
  const small = op.less(mantissa, float(LOG.sqrtHalf))
  const n = where(small, sub(exponent, float(1)), exponent)
  const m = sub(where(small, add(mantissa, mantissa), mantissa), float(1))
  const square = mul(m, m)
  const [first, ...rest] = LOG.polynomial
  let y = rest.reduce((sum, coefficient) => add(mul(sum, m), float(coefficient)), float(first!))
  y = mul(mul(y, m), square)
  y = add(y, mul(n, float(LOG.ln2Low)))
  y = sub(y, mul(float(0.5), square))
  const result = add(add(m, y), mul(n, float(LOG.ln2High)))
  const otherwise = where(
    op.less(float(0), input),
    input,
    where(op.equal(input, float(0)), float(-Infinity), float(NaN)),
  )
  return where(ordinary, result, otherwise)

  /** A positive number as mantissa · 2^exponent with a mantissa in [0.5, 1): both exact, since a first guess is put right. */
  function split(graph: Graph, op: Operators, value: Value) {
    const wide = op.cast(value, 'float64')
    let exponent = add(op.floor(mul(graph.node('Log', [wide]), double(Math.LOG2E))), double(1))
    const table = graph.table('float64', powers(-131, 151).toReversed())
    let mantissa = mul(wide, graph.node('Gather', [table, op.cast(add(exponent, double(151)), 'int32')]))
    for (const [wrong, factor, step] of [
      [op.lessOrEqual(double(1), mantissa), 0.5, 1],
      [op.less(mantissa, double(0.5)), 2, -1],
    ] as const) {
      mantissa = where(wrong, mul(mantissa, double(factor)), mantissa)
      exponent = where(wrong, add(exponent, double(step)), exponent)
    }
    return { mantissa: op.cast(mantissa, 'float32'), exponent: op.cast(exponent, 'float32') }
  }
}
