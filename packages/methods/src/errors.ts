import { defineError, defineIssues, type IssueOf, usage } from '@mk/errors'
import { algebraRules } from './algebra/issues.ts'
import { checkRules } from './check/issues.ts'
import { moduleRules } from './node/issues.ts'

const arrayRules = defineIssues({
  'wrong-length': usage<{ readonly input: string; readonly length: number; readonly expected: number }>(
    ({ input, length, expected }) => `${input} has ${length} elements, expected ${expected} by the shape`,
  ),
})

const rules = defineIssues({ ...checkRules, ...algebraRules, ...arrayRules, ...moduleRules })

/** What can go wrong with a method, for callers to test by `code`. */
export type MethodIssue = IssueOf<typeof rules>

/** Tells what of methods, models and parameters doesn't fit; `code` says which rule was broken, `issue` what is needed to mend it. */
export class MethodError extends defineError('MethodError', rules) {}
