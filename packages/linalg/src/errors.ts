import { defineError, defineIssues, failure, type IssueOf } from '@mk/errors'

const rules = defineIssues({
  /** Sizes that don't fit one another, or the values. */
  'matrix-size': failure<{ readonly what: string; readonly got: string; readonly expected: string }>(
    ({ what, got, expected }) => `${what} is ${got}, expected ${expected}`,
  ),
  'matrix-not-finite': failure<{ readonly what: string; readonly count: number }>(
    ({ what, count }) =>
      `${what} has ${count} ${count === 1 ? 'element' : 'elements'} that are NaN or infinite, expected finite numbers`,
  ),
  /** NaN, infinity, or elements whose squares overflow. */
  'not-finite-norm': failure<{ readonly rows: number; readonly columns: number }>(
    ({ rows, columns }) => `a matrix of ${rows} × ${columns} has no finite norm: expected no NaN and no infinity`,
  ),
  'not-positive-definite': failure<{ readonly column: number; readonly pivot: number }>(
    ({ column, pivot }) =>
      `the matrix is not positive definite: pivot ${column} is ${pivot}, expected more than 0; add a multiple of the identity`,
  ),
  /** The iterations that always sufficed did not. */
  'no-convergence': failure<{ readonly what: string; readonly iterations: number }>(
    ({ what, iterations }) => `${what} did not converge within ${iterations} iterations`,
  ),
})

/** What a LinalgError is about, by `code`. */
export type LinalgIssue = IssueOf<typeof rules>

/** What can go wrong with matrices. Test `code`; the message is for people. */
export class LinalgError extends defineError('LinalgError', rules) {}
