// What of this package also runs without Node.
export { CheckpointError, type CheckpointIssue } from './errors.ts'
export { fileRole, type FileRole } from './files/file-roles.ts'
export { stateOfFile } from './files/file-states.ts'
export { applyAdapters, type ModelPlaces, openCheckpointFrom, type OpenOptions } from './open/open-checkpoint.ts'
export type { HubModel, ResolveHubModel, ResolveHubOptions } from './hub/hub-model.ts'
export { createHubByRanges, type HubByRangesOptions } from './web/hub-by-ranges.ts'
export { formatPythonJson } from './json/format-json.ts'
export { parsePythonJson } from './json/parse-json.ts'
