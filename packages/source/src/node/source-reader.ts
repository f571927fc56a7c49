import { createReaderOver, type SourceReader, type SourceReaderOptions } from '../read/source-reader.ts'
import { createOpenFiles } from './open-files.ts'

/** Creates a reader of files of this machine, which opens them when it needs them. */
export const createSourceReader = (options?: SourceReaderOptions): SourceReader =>
  createReaderOver(createOpenFiles(), options)
