import { MergeError } from '../errors.ts'

/** Names the file that could not be written, which browsers don't: for want of room, or of a permission that was withdrawn. */
export function writeFailed(file: string, cause: unknown): MergeError {
  const { name, message } = cause as Error
  const reason = name === 'QuotaExceededError' ? 'the browser gives this page no more room' : message
  return new MergeError({ code: 'write-failed', file, reason }, { cause })
}
