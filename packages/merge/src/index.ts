export { prepareMerge } from './node/prepare-merge.ts'
export type { PreparedMerge, PrepareOptions, PrepareSettings, RecipeSource } from './prepare/prepare-merge.ts'
export type { Recipe } from './recipe.ts'
export type { AwaitedModel, ComputeProgress, DownloadOptions, WeightsProgress } from './prepare/awaited.ts'
export type { DownloadProgress, HubActivity } from '@mk/checkpoint'
export { merge } from './node/merge.ts'
export type { MergeOptions, WholeProgress, WholeResult } from './node/merge.ts'
export { keepStages } from './node/keep-stages.ts'
export type { KeepOptions, KeptStage } from './node/keep-stages.ts'
export { plannedModels } from './plan/merge-plan.ts'
export type { PreparedStage } from './stages/plan-stages.ts'
export { runMerge } from './node/run-merge.ts'
export type { MergeResult, RunOptions } from './node/run-merge.ts'
export { openStreams } from './node/open-streams.ts'
export type { StreamedTensors, StreamSettings, TensorStreams } from './node/open-streams.ts'
export { openComparingPool } from './node/open-pool.ts'
export type { PoolSettings } from './node/open-pool.ts'
export { startThreadAhead } from './node/thread-port.ts'
export type { ThreadAhead } from './node/thread-port.ts'
export { usefulThreads } from './run/run-tensors.ts'
export type { MergeProgress } from './run/run-tensors.ts'
export type { CountProgress, WeightsByNorm } from './run/weights-by-norm.ts'
export { listCountedWeights } from './plan/weight-groups.ts'
export { describeNonFinite } from '@mk/tensor'
export type { NonFiniteTensor } from '@mk/tensor'
export type { RuntimeSpecifier } from './run/task.ts'
export { checkOutput, checkOutputPlace } from './output/check-output.ts'
export type { OutputOptions } from './output/check-output.ts'
export type { ChecksumProgress } from './output/checksums.ts'
export { openHashers } from './output/hashing/hashers.ts'
export type { Hashers } from './output/hashing/hashers.ts'
export type { KeptOutput } from './output/output-folder.ts'
export { prepareAssembly } from './assemble/prepare-assembly.ts'
export type {
  Assembly,
  AssemblyRequest,
  AssemblyVocabulary,
  CompletedAssembly,
  CompletionOptions,
} from './assemble/assembly.ts'
export { prepareFill } from './fill/prepare-fill.ts'
export type { FillRequest } from './fill/prepare-fill.ts'
export { outputDtype, ownDtype } from './plan/dtypes.ts'
export type { UnplacedTensor } from './plan/plan-files.ts'
export { planMerge } from './plan/plan-merge.ts'
export type { PlanOptions, PlanSettings } from './plan/plan-context.ts'
export { planCost } from './plan/plan-cost.ts'
export type { CostSettings, PlanCost, TensorCost } from './plan/plan-cost.ts'
export { storedBytes, storedType } from './plan/stored-size.ts'
export { listMethods, methodOf, operationInputs } from './plan/merge-plan.ts'
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
} from './plan/merge-plan.ts'
export type { StoredHeads } from './open/compare-stored-heads.ts'
export type { MergeInputs } from './open/merge-inputs.ts'
export { openInputs } from './open/open-inputs.ts'
export type { OutputVocabulary, VocabularyRows } from './open/output-vocabulary.ts'
export { recipeSchema } from './schema/recipe-schema.ts'
export { MergeError } from './errors.ts'
export type { MergeIssue } from './errors.ts'
