import { defineIssues, usage } from '@mk/errors'

export interface OfModule {
  /** As the user wrote it. */
  readonly module: string
}

/** A user's module that is to export merge methods. */
export const moduleRules = defineIssues({
  'module-not-found': usage<OfModule & { readonly path: string }>(
    ({ module, path }) => `method module '${module}' not found: there is no file ${path}`,
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
