export type { Checkpoint, DownloadProgress } from './checkpoint.ts'
export { CheckpointError, type CheckpointIssue } from './errors.ts'
export type { HubOptions } from './hub/hub-settings.ts'
export { openCheckpoint, type OpenOptions } from './open/open-checkpoint.ts'
export { createSourceReader, type SourceReader } from './reader/source-reader.ts'
export type {
  CropSource,
  DequantizedSource,
  FileSource,
  GatherSegment,
  GatherSource,
  LoraSource,
  StridedSource,
  TensorSource,
} from './tensor-source.ts'
export { formatLikePythonJson, parsePythonJson } from './open/python-json.ts'
