export { SourceError, type SourceIssue } from './errors.ts'
export { createSourceReader, type SourceReader, type SourceReaderOptions } from './source-reader.ts'
