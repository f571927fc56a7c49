// Planning a merge, without Node: whoever has opened the models decides here what becomes of them.
export { prepareMergeAt } from '../prepare/prepare-merge.ts'
export type { PreparedMerge, PrepareOptions, PrepareSite } from '../prepare/prepare-merge.ts'
export { openInputs } from '../open/open-inputs.ts'
export { planMerge } from './plan-merge.ts'
export type { PlanOptions, PlanSettings } from './plan-context.ts'
export { planCost } from './plan-cost.ts'
export type { CostSettings, PlanCost, TensorCost } from './plan-cost.ts'
export { storedBytes, storedType } from './stored-size.ts'
export { listMethods, methodOf, operationInputs } from './merge-plan.ts'
export type {
  FilePiece,
  MergePlan,
  Operation,
  ParameterValue,
  PlannedFile,
  PlannedInput,
  PlannedTensor,
  PlannedTensorInput,
  RowRun,
  RowWeights,
  StoredRows,
} from './merge-plan.ts'
export type { StoredHeads } from '../open/compare-stored-heads.ts'
export type { MergeInputs } from '../open/merge-inputs.ts'
export type { OutputVocabulary, VocabularyRows } from '../open/output-vocabulary.ts'
export { MergeError } from '../errors.ts'
export type { MergeIssue } from '../errors.ts'
