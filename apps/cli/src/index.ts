export { mergekitYaml } from './commands/mergekit-yaml.ts'
export { mergekitExtractLora } from './extract-lora/mergekit-extract-lora.ts'
export { mkFill } from './fill/mk-fill.ts'
export { mkDiagnose } from './inspect/mk-diagnose.ts'
export { mkVerify } from './inspect/mk-verify.ts'
export { mkDiff } from './inspect/mk-diff.ts'
export { mkPush } from './push/mk-push.ts'
export { mkSlurm } from './slurm/mk-slurm.ts'
export { mkGguf } from './gguf/mk-gguf.ts'
export { runMergeCommand } from './commands/run-merge-command.ts'
export type { MergeCall, MergeCommand } from './commands/run-merge-command.ts'
export { runCommand, runProgram } from './commands/run-command.ts'
export type {
  CommandCall,
  CommandDefinition,
  CommonFlags,
  Operand,
  OptionValues,
  ProgramDefinition,
} from './commands/run-command.ts'
export { deviceNames, groupedOption, positiveInteger, sharedOptions } from './commands/shared-options.ts'
export type { Recipe } from './commands/recipe.ts'
export { isPlanOnly } from './commands/merge-flags.ts'
export type { MergeFlags } from './commands/merge-flags.ts'
export { loadMethods } from './commands/load-methods.ts'
export { loadPlanCode } from './parts/load-plan-code.ts'
export { mapPathOption, streamInputsOption } from './parts/part-options.ts'
export type { PlanCodeOptions } from './parts/load-plan-code.ts'
export { readModelArgument } from './commands/model-argument.ts'
export type { ModelArgument } from './commands/model-argument.ts'
export type { OwnCode } from './commands/own-code.ts'
export { nameRecipe, readRecipe } from './commands/read-recipe.ts'
export { endProcess } from './commands/end-process.ts'
export { exitStatus } from './errors/exit-status.ts'
export { describeScreen } from './print/style.ts'
export type { Screen } from './print/style.ts'
export { formatBytes } from './print/sizes.ts'
export { formatTable } from './print/format-table.ts'
export type { Column } from './print/format-table.ts'
