// Merging models in memory, without Node and without files.
export { mergeTensors } from './merge-tensors.ts'
export type { MergedTensors, MergeTensorsOptions } from './merge-tensors.ts'
export type { MemoryModel, MemoryTensor, StoredTensor } from './tensor-files.ts'
