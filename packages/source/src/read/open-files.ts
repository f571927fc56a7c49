import type { ElementRange } from '@mk/tensor/runtime'

/** Files that are read by position and at once, for one thread: of this machine, of a browser's, or of a server. */
export interface OpenFiles {
  /**
   * Fills `into` with the bytes from `byteStart`.
   * @throws SourceError unreadable-file, file-ended
   */
  read(file: string, byteStart: number, into: Uint8Array): void
  /**
   * Fills `into` with several ranges of elements, one after the other. Absent: that takes as long as to `read` each.
   * @param byteStart where element 0 begins
   * @param elementBytes how long each is
   * @throws SourceError unreadable-file, file-ended
   */
  readRanges?(
    file: string,
    byteStart: number,
    elementBytes: number,
    ranges: readonly ElementRange[],
    into: Uint8Array,
  ): void
  close(): void
}
