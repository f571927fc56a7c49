export { prepareMerge } from './prepare-merge.ts'
export type { PreparedMerge, PrepareOptions } from './prepare-merge.ts'
export { runMerge } from './run/run-merge.ts'
export type { MergeProgress, MergeResult, RunOptions } from './run/run-merge.ts'
export type { RuntimeSpecifier } from './run/task.ts'
export { checkOutput } from './output/check-output.ts'
export type { OutputOptions } from './output/check-output.ts'
export { planMerge } from './plan/plan-merge.ts'
export type { PlanOptions } from './plan/plan-merge.ts'
export { operationInputs } from './plan/merge-plan.ts'
export type {
  MergePlan,
  Operation,
  ParameterValue,
  PlannedFile,
  PlannedInput,
  PlannedTensor,
  PlannedTensorInput,
  RowWeights,
} from './plan/merge-plan.ts'
export type { MergeInputs } from './plan/merge-inputs.ts'
export { openInputs } from './open-inputs.ts'
export { MergeError } from './errors.ts'
export type { MergeIssue } from './errors.ts'
