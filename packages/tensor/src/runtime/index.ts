export type { Kernel, KernelCall, KernelResult, Runtime } from './runtime.ts'
export { PRODUCT_DEPTH, productKey, storedMatrices } from '../product/product.ts'
export type { Factor, Product, ProductCall, ProductKernel, StoredMatrix } from '../product/product.ts'
export { checkCall } from './check-call.ts'
export { createRuntimeShell } from './create-runtime-shell.ts'
export type { RuntimeParts } from './create-runtime-shell.ts'
export { withFallback } from './with-fallback.ts'
export type { Kind, Operation } from '../language/operations.ts'
export { applyOperation, isRowOperation, isSource, kindOf, operandsOf } from '../program/instructions.ts'
export type {
  ElementOperation,
  Instruction,
  OperationInstruction,
  OperationTable,
  RowOperation,
  SourceInstruction,
} from '../program/instructions.ts'
export type { Program, ProgramOutput } from '../program/program.ts'
export { checkProgram } from '../program/check-program.ts'
export { formatProgram, programKey } from '../program/format-program.ts'
export { lower } from '../program/lower.ts'
export type { Lowered, LowerRequest } from '../program/lower.ts'
export { matrixColumns } from '../program/matrix-columns.ts'
export { needsWholeRows, usedInputs } from '../program/requirements.ts'
export { createReferenceRuntime } from '../reference/reference-runtime.ts'
export { createSink } from '../reference/outputs.ts'
export type { Sink } from '../reference/outputs.ts'
export type { Block } from '../reference/evaluate.ts'
export { finiteStored, finiteThroughout } from '../language/finite.ts'
export { createSession } from '../stages/create-session.ts'
export { CHUNK_ELEMENTS, joinRanges, planChunks } from '../stages/chunks.ts'
export type { ElementRange } from '../stages/chunks.ts'
export type { RunStage, Stage } from '../stages/stage.ts'
export { expFloat32, logFloat32 } from '../numbers/elementary.ts'
export { reducers } from '../numbers/reducers.ts'
export { EXP, INFINITY_BITS, LOG } from '../numbers/numerics.ts'
export { fmix32, uniformAt, uniformHigh } from '../numbers/random.ts'
