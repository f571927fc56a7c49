import { type AdapterIssue, adapterMessages } from './adapter/adapter-issue.ts'
import { type HubIssue, hubMessages } from './hub/hub-issue.ts'
import { type OpenIssue, openMessages } from './open/open-issue.ts'
import { type PickleIssue, pickleMessages } from './pickle/pickle-issue.ts'
import { type RawIssue, rawMessages } from './raw/raw-issue.ts'

/** One variant per rule that an input can break; areas keep their own beside the code that throws them. */
export type CheckpointIssue = AdapterIssue | HubIssue | OpenIssue | PickleIssue | RawIssue

type Messages = {
  readonly [Code in CheckpointIssue['code']]: (issue: Extract<CheckpointIssue, { code: Code }>) => string
}

const messages: Messages = {
  ...adapterMessages,
  ...hubMessages,
  ...openMessages,
  ...pickleMessages,
  ...rawMessages,
}

/** A checkpoint can't be opened or read. Test `code`; `issue` carries the facts that the message tells. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
  readonly code: CheckpointIssue['code']
  readonly issue: CheckpointIssue

  constructor(issue: CheckpointIssue, options?: ErrorOptions) {
    super((messages[issue.code] as (issue: CheckpointIssue) => string)(issue), options)
    this.code = issue.code
    this.issue = issue
  }
}
