export { prepareDiff } from './diff/prepare-diff.ts'
export type { DiffRequest, PreparedDiff } from './diff/prepare-diff.ts'
export { diffModels } from './diff/diff-models.ts'
export type { DiffOptions, InspectionProgress } from './diff/diff-models.ts'
export type { DiffCell, ModelDiff, TensorDiff, Verdict } from './diff/model-diff.ts'
export { diagnosePlan } from './diagnose/diagnose-recipe.ts'
export type { DiagnoseOptions } from './diagnose/diagnose-recipe.ts'
export type {
  DiagnosedModel,
  DiagnosedPair,
  DiagnosedTensor,
  Diagnosis,
  Finding,
  ModelFigures,
  PairFigures,
  ReadPart,
} from './diagnose/diagnosis.ts'
export type { SampleSizes } from './measure/sample-blocks.ts'
export { diffPage } from './diff/page/diff-page.ts'
export type { TensorPlace } from './diff/pair-tensors.ts'
export type { Difference } from './measure/describe-difference.ts'
export { verifyOutput } from './verify/verify-output.ts'
export type { Verification, VerifyOptions } from './verify/verify-output.ts'
export type { PlanToCompare } from './verify/compare-with-plan.ts'
export type { Fault, FaultCode } from './verify/fault.ts'
export { planTaskMask, writeTaskMask } from './masks/write-task-mask.ts'
export type { TaskMask, TaskMaskOptions, TaskMaskPlan } from './masks/write-task-mask.ts'
export { InspectError } from './errors.ts'
export type { InspectIssue } from './errors.ts'
