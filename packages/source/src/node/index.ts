export { SourceError, type SourceIssue } from './errors.ts'
export { createSourceReader, type SourceReader } from './source-reader.ts'
