export type {
  BlocksSource,
  CodeValues,
  CropSource,
  DequantizedSource,
  FileSource,
  GatherSegment,
  GatherSource,
  HalvesSource,
  LoraSource,
  MergedSource,
  PackedSource,
  SmallFloat,
  StridedSource,
  TensorSource,
  ValuesSource,
} from './tensor-source.ts'
export { SourceError, type SourceIssue } from './read/errors.ts'
export { decodeText, type FileFacts, type FileStore, readBytes, readStart } from './read/file-store.ts'
export type { OpenFiles } from './read/open-files.ts'
export { createReaderOver, type SourceReader, type SourceReaderOptions } from './read/source-reader.ts'
export type { ReadElements } from './read/elements/element-reader.ts'
export { cropSource } from './crop-source.ts'
export { gatherSource, type GatheredRows } from './gather-source.ts'
export { type MatrixRows, matrixSource } from './matrix-source.ts'
export { mergedSources, sourceFiles } from './source-files.ts'
export { folderOfPath, joinPath, nameOfPath } from './paths.ts'
export { abortableFiles, untilAborted } from './read/abortable-files.ts'
export { sourceBytes } from './source-bytes.ts'
export { storedDtype } from './stored-dtype.ts'
export { transposedSource } from './transposed-source.ts'
export { withUnroundedRows } from './unrounded-rows.ts'
