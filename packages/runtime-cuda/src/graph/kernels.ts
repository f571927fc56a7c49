import type { OperationTable } from '@mk/tensor/runtime'
import { expOf, logOf } from './elementary.ts'
import type { Graph, Value } from './graph.ts'
import type { Operators } from './operators.ts'
import { rankOf } from './rank.ts'

/** The nodes of each operation. */
export const kernels: OperationTable<Value, readonly [op: Operators, graph: Graph]> = {
  neg: ({ a }, _, graph) => graph.node('Neg', [a]),
  abs: ({ a }, _, graph) => graph.node('Abs', [a]),
  sqrt: ({ a }, _, graph) => graph.node('Sqrt', [a]),
  exp: ({ a }, op, graph) => expOf(graph, op, a),
  log: ({ a }, op, graph) => logOf(graph, op, a),
  add: ({ a, b }, op) => op.add(a, b),
  sub: ({ a, b }, op) => op.sub(a, b),
  mul: ({ a, b }, op) => op.mul(a, b),
  div: ({ a, b }, op) => op.div(a, b),
  minimum: ({ a, b }, op) => op.minimum(a, b),
  maximum: ({ a, b }, op) => op.maximum(a, b),
  lt: ({ a, b }, op) => op.less(a, b),
  le: ({ a, b }, op) => op.lessOrEqual(a, b),
  gt: ({ a, b }, op) => op.less(b, a),
  ge: ({ a, b }, op) => op.lessOrEqual(b, a),
  eq: ({ a, b }, op) => op.equal(a, b),
  ne: ({ a, b }, op) => op.not(op.equal(a, b)),
  and: ({ a, b }, op) => op.and(a, b),
  or: ({ a, b }, op) => op.or(a, b),
  not: ({ a }, op) => op.not(a),
  select: ({ mask, a, b }, op) => op.where(mask, a, b),
  rank: ({ a }, op, graph) => rankOf(graph, op, a),
}
