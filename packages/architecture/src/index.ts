export { alignTensors, type TensorAlignment } from './align.ts'
export { isBuffer } from './buffers.ts'
export { type ArchitectureDifference, architectureName, compareArchitectures } from './compare-architectures.ts'
export { compareDecisiveSettings, type SettingDifference } from './decisive-settings.ts'
export { describeCheckpoint } from './describe-checkpoint.ts'
export { ArchitectureError, type ArchitectureIssue } from './errors.ts'
export {
  type CheckpointLayout,
  embeddingNames,
  findModule,
  headNames,
  type KeyPath,
  type LayoutModule,
  type LayoutTensor,
  type ModelConfig,
  type ModuleKind,
  nameInLayer,
  nameOutsideLayers,
  perLayerEmbeddingName,
  type TensorFacts,
  type TensorRole,
} from './layout.ts'
export { listLayerDoubts } from './layer-doubts.ts'
export { findUnreadableLayers, type LayerInPlace, type UnreadableLayers } from './layer-places.ts'
export { type ConfigRevision, findPeriodicSettings, reviseConfig } from './revise-config.ts'
export { isReordered, type ModuleLayers, type SourceModel } from './source-layers.ts'
export { hasHead, isTied, untiedHeadName } from './tied.ts'
export { type DescribedModel, isTextPart } from './text-part.ts'
export { isTiedCopy } from './tied-copies.ts'
export { weightsDtype } from './weights-dtype.ts'
