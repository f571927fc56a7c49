import type { WebFile } from './web-folder.ts'

/** Where an output goes, file by file. What is not completed is no output. */
export interface MergeSink {
  /** Makes a file of zeros. */
  open(name: string, byteCount: number): Promise<SinkFile>
  /** Called when all files are closed. */
  complete(): Promise<void>
  /** Takes away what was written. */
  discard(): Promise<void>
}

/** A file of an output while it is written, in any order of its parts. */
export interface SinkFile {
  /** What workers can write the file by themselves with, which spares copies; absent where they can't. */
  readonly shared?: WebFile
  write(position: number, bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}

/** Gathers the files of an output in memory. */
export function createMemorySink(): MergeSink & { readonly files: ReadonlyMap<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>()
  return {
    files,
    async open(name, byteCount) {
      const file = new Uint8Array(byteCount)
      files.set(name, file)
      return { write: async (position, bytes) => file.set(bytes, position), close: async () => {} }
    },
    complete: async () => {},
    discard: async () => files.clear(),
  }
}
