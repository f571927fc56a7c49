export { prepareDiff } from './diff/prepare-diff.ts'
export type { DiffRequest, PreparedDiff } from './diff/prepare-diff.ts'
export { diffModels } from './diff/diff-models.ts'
export type { DiffCell, DiffOptions, InspectionProgress, ModelDiff, TensorDiff } from './diff/diff-models.ts'
export { diagnosePlan } from './diagnose/diagnose-recipe.ts'
export type {
  DiagnosedModel,
  DiagnosedPair,
  DiagnosedTensor,
  DiagnoseOptions,
  Diagnosis,
} from './diagnose/diagnose-recipe.ts'
export type { Finding } from './diagnose/findings.ts'
export { diffPage } from './diff/page/diff-page.ts'
export type { TensorPlace } from './diff/pair-tensors.ts'
export type { Verdict } from './diff/verdict.ts'
export type { Difference } from './measure/describe-difference.ts'
export { verifyOutput } from './verify/verify-output.ts'
export type { Verification, VerifyOptions } from './verify/verify-output.ts'
export type { PlanToCompare } from './verify/compare-with-plan.ts'
export type { Fault, FaultCode } from './verify/fault.ts'
export { InspectError } from './errors.ts'
export type { InspectIssue } from './errors.ts'
