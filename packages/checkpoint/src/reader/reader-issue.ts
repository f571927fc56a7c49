/** What can go wrong while elements are read. */
export type ReaderIssue =
  | { readonly code: 'unreadable-file'; readonly file: string; readonly reason: string }
  /** `byteEnd` is where the wanted bytes would end. */
  | { readonly code: 'file-ended'; readonly file: string; readonly byte: number; readonly byteEnd: number }

export const readerMessages = {
  'unreadable-file': ({ file, reason }: Extract<ReaderIssue, { code: 'unreadable-file' }>) =>
    `${file}: cannot be read: ${reason}`,
  'file-ended': ({ file, byte, byteEnd }: Extract<ReaderIssue, { code: 'file-ended' }>) =>
    `${file}: ends at byte ${byte}, but its tensors reach to byte ${byteEnd} at least; it was cut off, or changed while it was read`,
}
