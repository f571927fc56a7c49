export type { BinaryOperation, Comparison, Expression, Mask, Operand, RandomKey, UnaryOperation } from './expression.ts'
export {
  abs,
  add,
  and,
  before,
  perColumn,
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
  rank,
  perRow,
  select,
  sqrt,
  sub,
  uniform,
} from './expression.ts'
export { count, max, min, sum } from './reductions.ts'
export type { Reduction, ReduceResult, Session } from './session.ts'
export { createSession } from './create-session.ts'
export { createArraySession } from './array-session.ts'
export type { ArrayInput, ArraySession } from './array-session.ts'
export type { Instruction, Program, ProgramOutput } from './program.ts'
export type { Kernel, KernelCall, KernelResult, Runtime } from './runtime.ts'
export { lower } from './lower.ts'
export type { Lowered, LowerRequest } from './lower.ts'
export { formatProgram, programKey } from './format-program.ts'
export { matrixColumns, needsWholeRows, usedInputs } from './program-facts.ts'
export { CHUNK_ELEMENTS, joinRanges, planChunks } from './chunks.ts'
export type { ElementRange } from './chunks.ts'
export type { RunStage, Stage } from './stage.ts'
export { fmix32, randomKey, uniformAt, uniformBlock } from './random.ts'
export { EXP, INFINITY_BITS, LOG } from './numerics.ts'
export { TensorError } from './errors.ts'
export type { TensorIssue } from './errors.ts'
export { withFallback } from './with-fallback.ts'
export { createReferenceRuntime } from './reference/runtime.ts'
export { expFloat32, logFloat32 } from './reference/elementary.ts'
export { createSink } from './reference/outputs.ts'
export type { Sink } from './reference/outputs.ts'
export type { Block } from './reference/evaluate.ts'
export { checkProgram } from './check-program.ts'
export { checkCall } from './check-call.ts'
export { decode, encode } from './dtypes.ts'
