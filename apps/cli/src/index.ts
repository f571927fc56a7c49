export { createCommand, mergekitYaml, runCommand, usage } from './mergekit-yaml.ts'
export { addMergeFlags, needlessFlagNotes, type MergeFlags } from './merge-flags.ts'
export { executeMerge, type MergeRequest } from './execute-merge.ts'
export { describeError, exitStatus, statusOf, UsageError } from './describe-error.ts'
