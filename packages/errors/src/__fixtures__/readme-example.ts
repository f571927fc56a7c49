import { defineError, defineIssues, failure, hasCode, type IssueOf, usage } from '@mk/errors'

const rules = defineIssues({
  'no-such-file': usage<{ readonly file: string }>(({ file }) => `there is no file ${file}`),
  'disk-full': failure<{ readonly freeBytes: number }>(({ freeBytes }) => `only ${freeBytes} bytes are free`),
})
type StoreIssue = IssueOf<typeof rules> // { code: 'no-such-file', file } | { code: 'disk-full', freeBytes }

class StoreError extends defineError('StoreError', rules) {}

try {
  const issue: StoreIssue = { code: 'no-such-file', file: 'a.txt' }
  throw new StoreError(issue)
} catch (error) {
  if (hasCode(error, 'no-such-file')) console.log((error as StoreError).fault, (error as StoreError).message)
}
