import { defineError, defineIssues, failure, type IssueOf, quoted, shortened, usage } from '@mk/errors'

const rules = defineIssues({
  'queue-address': usage<{ readonly address: string }>(
    ({ address }) =>
      `${quoted(address)} is no address of a Redis; expected redis://HOST:PORT/DATABASE, or rediss:// where it takes TLS`,
  ),
  'queue-unreachable': failure<{ readonly address: string; readonly reason: string }>(
    ({ address, reason }) => `no Redis answers at ${address}: ${reason}`,
  ),
  'queue-refused': usage<{ readonly address: string; readonly reason: string }>(
    ({ address, reason }) => `the Redis at ${address} refuses: ${shortened(reason)}; expected a user that may use it`,
  ),
  'queue-unknown-merge': usage<{ readonly id: string; readonly queue: string }>(
    ({ id, queue }) =>
      `the queue ${quoted(queue)} has no merge ${quoted(id)}; expected the id that its submission told`,
  ),
  /** One plan and one output, cut otherwise than before: parts of both would be in one folder. */
  'queue-other-parts': usage<{ readonly id: string; readonly parts: number; readonly submitted: number }>(
    ({ id, parts, submitted }) =>
      `${id} is in the queue in ${submitted} parts, not in ${parts}; expected the same number, or that it is canceled first`,
  ),
  'queue-busy': failure<{ readonly id: string; readonly running: number }>(
    ({ id, running }) =>
      `${id} has ended, but ${running} of its parts are still at work; expected that they end first, which takes seconds`,
  ),
})

/** What can be wrong with a queue, or with what it is asked for. */
export type QueueIssue = IssueOf<typeof rules>

/** Tells what is wrong with a queue, or with what it is asked for; `code` says which rule was broken. */
export class QueueError extends defineError('QueueError', rules) {}
