import { type RangeFile, readFully, SafetensorsError } from '@mk/safetensors'
import type { OpenFiles } from './open-files.ts'

/**
 * A place to read files from: this machine, files that a browser was given, a server. What it can't do it refuses as an operating
 * system does, with errors that have `code` (ENOENT, EISDIR, …) and `syscall` (`refuseCall` of @mk/errors).
 */
export interface FileStore {
  /** What `~` stands for, where it stands for anything. */
  readonly home?: string
  /** Gives the absolute path of what is named from a folder. */
  resolve(folder: string, path: string): string
  /** Lists the names in a folder, in any order. */
  list(folder: string): Promise<readonly string[]>
  /** Tells what is there; of a link, what it leads to. */
  stat(path: string): Promise<FileFacts>
  /** Gives the path without links. */
  realPath(path: string): Promise<string>
  /** Opens a file, lets `use` read from it, and closes it. @throws SafetensorsError `not-a-file` */
  withFile<T>(path: string, use: (file: RangeFile) => Promise<T>): Promise<T>
  /** Makes files readable at once, for one thread. In a browser only workers can do that. */
  openFiles(): OpenFiles
}

/** What a place that has files tells of one without reading it. */
export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'other'
  readonly byteCount: number
  /** Two that are equal are of the same bytes, as far as can be told without reading. */
  readonly state: string
}

/**
 * Reads all of a file.
 * @param limit in bytes
 * @throws SafetensorsError `not-a-file`, `file-too-long`, `file-shrank`; what the store says (ENOENT, …)
 */
export const readBytes = (store: FileStore, path: string, limit: number): Promise<Uint8Array> =>
  store.withFile(path, async (file) => {
    const { byteCount: bytes } = file
    if (bytes > limit) throw new SafetensorsError({ code: 'file-too-long', bytes, limit }, path)
    const found = new Uint8Array(bytes)
    // A folder without bytes is no empty file.
    if (bytes === 0) await file.read(0, new Uint8Array(1))
    await readFully(file, found, 0, path)
    return found
  })

/**
 * Reads the beginning of a file, or all of a shorter one.
 * @param most in bytes
 * @throws SafetensorsError `not-a-file`, `file-shrank`; what the store says (ENOENT, …)
 */
export const readStart = (store: FileStore, path: string, most: number): Promise<Uint8Array> =>
  store.withFile(path, async (file) => {
    const start = new Uint8Array(Math.min(most, file.byteCount))
    await readFully(file, start, 0, path)
    return start
  })

/** Gives the text that bytes are in UTF-8; a mark of the byte order stays. */
export const decodeText = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
