/** Where results go, for one thread: files of a system, of a browser, or whoever gathers them. */
export interface OutputWriter {
  /**
   * Writes all of `bytes` at a position of a file that is laid out. They are of one tensor, unless `takesSeveral`.
   * @param bytes the caller's, who overwrites them once the call has returned
   * @throws MergeError 'write-failed', naming the file and the cause
   */
  write(file: string, position: number, bytes: Uint8Array): void
  /** Whether what is written at once may be several tensors that lie one after the other. */
  readonly takesSeveral?: true
  close(): void
}
