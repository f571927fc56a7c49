import { defineError, type IssueOf } from '@mk/errors'
import { parseRules } from './parse/issues.ts'
import { planRules } from './plan/issues.ts'

const rules = { ...parseRules, ...planRules }

/** What is wrong with a tokenizer, a setting or a chat template: one variant per rule. */
export type TokenizerIssue = IssueOf<typeof rules>

/** Every failure of this package but those of the operating system. */
export class TokenizerError extends defineError('TokenizerError', rules) {}
