import type { ElementOperation, OperationTable } from '@mk/tensor/runtime'

const rounded = (text: string) => `Math.fround(${text})`
const isTrue = (comparison: string) => `${comparison} ? 1 : 0`

/**
 * Equal operands may be zeros of both signs; those that no comparison orders are NaN, which GPUs' own min and max lose.
 * @param first what tells that its left side is the result
 */
const extreme = (a: string, b: string, first: '<' | '>', own: 'Math.min' | 'Math.max') =>
  `${a} ${first} ${b} ? ${a} : ${b} ${first} ${a} ? ${b} : ${a} === ${b} ? ${own}(${a}, ${b}) : ${a} + ${b}`

/**
 * Each operation as gpu.js takes it, from the names of its operands. Masks are the numbers 0 and 1: not every back end of
 * gpu.js can tell that a variable is boolean.
 */
export const sources: OperationTable<string, [], ElementOperation> = {
  neg: ({ a }) => `-${a}`,
  abs: ({ a }) => `Math.abs(${a})`,
  sqrt: ({ a }) => rounded(`Math.sqrt(${a})`),
  exp: ({ a }) => rounded(`Math.exp(${a})`),
  log: ({ a }) => rounded(`Math.log(${a})`),
  add: ({ a, b }) => rounded(`${a} + ${b}`),
  sub: ({ a, b }) => rounded(`${a} - ${b}`),
  mul: ({ a, b }) => rounded(`${a} * ${b}`),
  div: ({ a, b }) => rounded(`${a} / ${b}`),
  minimum: ({ a, b }) => extreme(a, b, '<', 'Math.min'),
  maximum: ({ a, b }) => extreme(a, b, '>', 'Math.max'),
  lt: ({ a, b }) => isTrue(`${a} < ${b}`),
  le: ({ a, b }) => isTrue(`${a} <= ${b}`),
  gt: ({ a, b }) => isTrue(`${a} > ${b}`),
  ge: ({ a, b }) => isTrue(`${a} >= ${b}`),
  eq: ({ a, b }) => isTrue(`${a} === ${b}`),
  ne: ({ a, b }) => `${a} === ${b} ? 0 : 1`,
  and: ({ a, b }) => `${a} * ${b}`,
  or: ({ a, b }) => `Math.max(${a}, ${b})`,
  not: ({ a }) => `1 - ${a}`,
  select: ({ mask, a, b }) => `${mask} > 0 ? ${a} : ${b}`,
}
