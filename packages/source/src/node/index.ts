export { createOpenFiles } from './open-files.ts'
export { createSourceReader } from './source-reader.ts'
export { SourceError, type SourceIssue } from '../read/errors.ts'
export type { SourceReader, SourceReaderOptions } from '../read/source-reader.ts'
