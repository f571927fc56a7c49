import { defineError, type IssueOf } from '@mk/errors'
import { parseRules } from './parse/issues.ts'
import { planRules } from './plan/issues.ts'

const rules = { ...parseRules, ...planRules }

/** What is wrong with a tokenizer, a setting or a chat template: one variant per rule. */
export type TokenizerIssue = IssueOf<typeof rules>

/** Every failure of this package. */
export class TokenizerError extends defineError('TokenizerError', rules) {}

/**
 * Runs what parses a model's files, so that an error names the file with its folder: whose it is.
 * @throws TokenizerError, with `file` of its issue a path in the folder
 */
export function namingFolder<T>(folder: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof TokenizerError) || !('file' in cause.issue) || 'model' in cause.issue) throw cause
    throw new TokenizerError({ ...cause.issue, file: `${folder}/${cause.issue.file}` }, { cause })
  }
}
