/** Files that are read by position and at once, for one thread: of this machine, of a browser's, or of a server. */
export interface OpenFiles {
  /**
   * Fills `into` with the bytes from `byteStart`.
   * @throws SourceError unreadable-file, file-ended
   */
  read(file: string, byteStart: number, into: Uint8Array): void
  /**
   * Fills `into` with the bytes of several places of a file, one after the other. Absent: that takes as long as to `read` each.
   * @param byteStarts where each place begins
   * @param byteLengths how long each is; in all as long as `into`
   * @throws SourceError unreadable-file, file-ended
   */
  readPlaces?(file: string, byteStarts: readonly number[], byteLengths: readonly number[], into: Uint8Array): void
  close(): void
}
