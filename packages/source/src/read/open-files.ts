/** Files that are read by position and at once, for one thread: of this machine, of a browser's, or of a server. */
export interface OpenFiles {
  /**
   * Fills `into` with the bytes from `byteStart`.
   * @throws SourceError unreadable-file, file-ended
   */
  read(file: string, byteStart: number, into: Uint8Array): void
  close(): void
}
