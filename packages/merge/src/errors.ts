import { defineError, defineIssues, type IssueOf } from '@mk/errors'
import { adapterRules } from './adapter/issues.ts'
import { fillRules } from './fill/issues.ts'
import { inputRules } from './open/issues.ts'
import { outputRules } from './output/issues.ts'
import { partRules } from './parts/issues.ts'
import { planRules } from './plan/issues.ts'
import { runRules } from './run/issues.ts'

const rules = defineIssues({
  ...inputRules,
  ...planRules,
  ...outputRules,
  ...runRules,
  ...fillRules,
  ...partRules,
  ...adapterRules,
})

/** What can go wrong in planning or running a merge, with what a person needs to mend it. */
export type MergeIssue = IssueOf<typeof rules>

/** Tells why a merge can't be planned or could not be run; `code` says which rule was broken, `issue` what is needed to mend it. */
export class MergeError extends defineError('MergeError', rules) {}
