export type {
  AdapterOrigin,
  Checkpoint,
  CheckpointFile,
  DownloadProgress,
  GgufFacts,
  HubOrigin,
  JsonDocument,
} from './checkpoint.ts'
export type { ModelLicense } from './files/read-license.ts'
export { CheckpointError, type CheckpointIssue } from './errors.ts'
export type { HubActivity } from './hub/hub-activity.ts'
export { type HubPlace, type HubRanges, openHubRanges } from './hub/hub-ranges.ts'
export type { HubOptions } from './hub/hub-settings.ts'
export { readHubGgufHeader } from './hub/read-hub-gguf-header.ts'
export type { OpenOptions } from './open/open-checkpoint.ts'
export { fileState, nodePlaces, openCheckpoint } from './node/open-checkpoint.ts'
export { listTensors, type ListedTensor } from './list-tensors.ts'
export { formatChecksums, parseChecksums } from './files/card-checksums.ts'
export { fileRole, type FileRole } from './files/file-roles.ts'
export { type FileLock, type LockAttempt, type LockOwner, tryLock } from './lock/file-lock.ts'
export { formatPythonJson } from './json/format-json.ts'
export { parsePythonJson } from './json/parse-json.ts'
