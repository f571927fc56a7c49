export type { Expression, Mask, Operand } from './language/operations.ts'
export {
  abs,
  add,
  and,
  before,
  div,
  eq,
  exp,
  ge,
  gt,
  input,
  le,
  log,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  not,
  or,
  perColumn,
  perRow,
  rank,
  select,
  sqrt,
  sub,
  uniform,
} from './language/operations.ts'
export { crossProduct, times } from './language/matrices.ts'
export type { CrossProduct } from './language/matrices.ts'
export type { DenseMatrix, MatrixSide } from './language/dense-matrix.ts'
export { count, max, min, quickSum, sum } from './language/reductions.ts'
export type { Reduction } from './language/reductions.ts'
export type { ReduceOptions, ReduceResult, Session } from './stages/session.ts'
export { createArraySession } from './stages/array-session.ts'
export type { ArrayInput, ArraySession, StreamedInput, TakeBytes } from './stages/array-session.ts'
export { decode, encode } from './numbers/dtypes.ts'
export { describeNonFinite } from './numbers/describe-non-finite.ts'
export type { NonFiniteTensor } from './numbers/describe-non-finite.ts'
export { visitNonFinite } from './numbers/visit-non-finite.ts'
export type { StoredElements } from './numbers/visit-non-finite.ts'
export { randomKey } from './numbers/random.ts'
export type { RandomKey } from './numbers/random.ts'
export { TensorError } from './errors.ts'
export type { TensorIssue } from './errors.ts'
