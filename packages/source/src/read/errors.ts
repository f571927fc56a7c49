import { defineError, defineIssues, failure, type IssueOf, usage } from '@mk/errors'

const rules = defineIssues({
  'unreadable-file': failure<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `${file}: cannot be read: ${reason}`,
  ),
  /** `byteEnd` is where the wanted bytes would end. */
  'file-ended': failure<{ readonly file: string; readonly byte: number; readonly byteEnd: number }>(
    ({ file, byte, byteEnd }) =>
      `${file}: ends at byte ${byte}, but its tensors reach to byte ${byteEnd} at least; it was cut off, or changed while it was read`,
  ),
  'group-out-of-range': usage<{
    readonly file: string
    readonly column: number
    readonly group: number
    readonly groupCount: number
  }>(
    ({ file, column, group, groupCount }) =>
      `${file}: column ${column} of quantized weights is in group ${group}; expected one of the ${groupCount} groups that have a scale, from 0 on`,
  ),
})

/** What a SourceError is about, by `code`. */
export type SourceIssue = IssueOf<typeof rules>

/** Tells that the elements of a source can't be read. Test `code`; `issue` carries the facts that the message tells. */
export class SourceError extends defineError('SourceError', rules) {}
