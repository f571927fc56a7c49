import { defineError, defineIssues, type IssueOf, quoted, shortened, usage } from '@mk/errors'
import { algebraRules } from './algebra/issues.ts'
import { checkRules } from './check/issues.ts'

const arrayRules = defineIssues({
  'wrong-length': usage<{ readonly input: string; readonly length: number; readonly expected: number }>(
    ({ input, length, expected }) => `${input} has ${length} elements, expected ${expected} by the shape`,
  ),
})

type OfModule = {
  /** As the user wrote it. */
  readonly module: string
}

const moduleRules = defineIssues({
  'module-not-found': usage<OfModule & { readonly path: string }>(
    ({ module, path }) => `method module '${module}' not found: there is no file ${path}`,
  ),
  'own-method-failed': usage<{ readonly method: string; readonly tensor: string; readonly problem: string }>(
    ({ method, tensor, problem }) =>
      `the merge method ${quoted(method)}, which is none of the built-in ones, failed for tensor ${quoted(tensor)}: ${shortened(problem, 500)}`,
  ),
  'module-failed': usage<OfModule & { readonly problem: string }>(
    ({ module, problem }) => `method module '${module}' failed to load: ${problem}`,
  ),
  'not-a-method': usage<OfModule & { readonly problem: string }>(
    ({ module, problem }) =>
      `method module '${module}': ${problem}; export a method made with defineMethod as 'default' or 'method'`,
  ),
  'name-taken': usage<OfModule & { readonly method: string }>(
    ({ module, method }) =>
      `method module '${module}' defines '${method}', which is the name of a built-in method; choose another name`,
  ),
})

const rules = defineIssues({ ...checkRules, ...algebraRules, ...arrayRules, ...moduleRules })

/** What can go wrong with a method, for callers to test by `code`. */
export type MethodIssue = IssueOf<typeof rules>

/** Tells what of methods, models and parameters doesn't fit; `code` says which rule was broken, `issue` what is needed to mend it. */
export class MethodError extends defineError('MethodError', rules) {}
