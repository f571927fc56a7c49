/** A file of a server that answers to ranges, and lets the page read the answer (CORS). */
export interface RemoteRangeFile {
  readonly url: string
  readonly byteCount: number
  /** For each request; a browser asks the server first whether it takes them, so that none is best. */
  readonly headers?: Readonly<Record<string, string>>
}

/** What a file may be: one that the user chose, bytes in memory, or one of a server. All of it crosses to workers. */
export type MappedFile = Blob | Uint8Array | RemoteRangeFile

/** Files by absolute path, with `/`: '/tiny-code/config.json'. Folders are there by what is in them. */
export type FileMap = ReadonlyMap<string, MappedFile>

/** Tells how many bytes a file has. */
export const byteCountOf = (file: MappedFile): number =>
  file instanceof Uint8Array ? file.length : file instanceof Blob ? file.size : file.byteCount
