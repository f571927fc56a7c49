import { defineError, type IssueOf } from '@mk/errors'
import { adapterIssues } from './adapter/adapter-issues.ts'
import { ggufModelIssues } from './gguf/gguf-issues.ts'
import { hubIssues } from './hub/hub-issues.ts'
import { openIssues } from './open/open-issues.ts'
import { pickleIssues } from './pickle/pickle-issues.ts'
import { zipIssues } from './pickle/zip-issues.ts'
import { quantizationIssues } from './quantization/quantization-issues.ts'
import { pushIssues } from './push/push-issues.ts'
import { rawIssues } from './raw/raw-issues.ts'

const rules = {
  ...openIssues,
  ...quantizationIssues,
  ...adapterIssues,
  ...ggufModelIssues,
  ...hubIssues,
  ...pickleIssues,
  ...zipIssues,
  ...rawIssues,
  ...pushIssues,
}

/** What a CheckpointError is about, by `code`. */
export type CheckpointIssue = IssueOf<typeof rules>

/** Tells that a model can't be opened. Test `code`; `issue` carries the facts that the message tells. */
export class CheckpointError extends defineError('CheckpointError', rules) {}
