export type { Checkpoint } from './checkpoint.ts'
export { CheckpointError, type CheckpointIssue } from './errors.ts'
export { createSourceReader, type SourceReader } from './reader/source-reader.ts'
export type { CropSource, DequantizedSource, FileSource, GatherSegment, GatherSource, LoraSource, StridedSource, TensorSource } from './tensor-source.ts'
