// What the commands of merges in parts use of the package that makes them, each name for itself, as in ../commands/merging.ts.
export {
  bringSources,
  createPlanFile,
  findParts,
  finishMerge,
  listParts,
  locateInputs,
  mapPath,
  readPlanFile,
  runPart,
  runStreamed,
  runtimeLabel,
  writePlanFile,
} from '@mk/merge/parts'
