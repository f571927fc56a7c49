/** A folder of the File System API (https://fs.spec.whatwg.org), as far as outputs need one: a chosen one, or one of the page's own. */
export interface WebFolder {
  getFileHandle(name: string, options: { create: boolean }): Promise<WebFile>
  getDirectoryHandle(name: string, options: { create: boolean }): Promise<WebFolder>
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>
  keys(): AsyncIterable<string>
}

/** A file of such a folder. */
export interface WebFile {
  createWritable(): Promise<WebWritable>
  /** Only workers have it, and only for files of the page's own. */
  createSyncAccessHandle?(options?: { mode: typeof sharedMode }): Promise<WebAccess>
}

interface WebWritable {
  write(data: { type: 'write'; position: number; data: Uint8Array }): Promise<void>
  truncate(size: number): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}

/** A file that is open to be written at once. */
export interface WebAccess {
  /** Absent in browsers in which a file can be opened but once. */
  readonly mode?: string
  write(bytes: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  close(): void
}

/** Lets several workers write to a file, each to parts of its own, which is what makes that safe. */
export const sharedMode = 'readwrite-unsafe'
