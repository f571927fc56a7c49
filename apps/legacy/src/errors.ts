import { defineError, defineIssues, usage } from '@mk/errors'

const count = ({ min, max }: { readonly min: number; readonly max?: number | undefined }): string =>
  max === undefined ? `at least ${min}` : min === max ? `exactly ${min}` : `${min} to ${max}`

const rules = defineIssues({
  'invalid-layer-slices': usage<{
    readonly file: string
    readonly line: number
    readonly column: number
    readonly problem: string
  }>(({ file, line, column, problem }) => `${file}:${line}:${column}: ${problem}`),
  'no-models': usage(() => `no models to merge: give each one as '--merge MODEL'`),
  'no-base-model': usage<{ readonly method: string }>(({ method }) => `${method} needs a --base-model`),
  'merge-count': usage<{
    readonly method: string
    readonly expected: { readonly min: number; readonly max?: number | undefined }
    readonly hasBase: boolean
    readonly found: number
  }>(
    ({ method, expected, hasBase, found }) =>
      `${method} takes ${count(expected)} --merge${hasBase ? ' besides the --base-model' : ''}, found ${found}`,
  ),
  'value-count': usage<{ readonly option: string; readonly found: number; readonly modelCount: number }>(
    ({ option, found, modelCount }) =>
      `${option} is given ${found} times for ${modelCount} --merge; expected one for each model, one for all, or none`,
  ),
  'slerp-weights': usage<{ readonly found: number }>(
    ({ found }) => `slerp takes exactly one --weight, the way from the base model (0) to the other (1), found ${found}`,
  ),
})

/** Tells what is wrong with arguments of `mergekit-legacy` or with a file of `bakllama`. */
export class LegacyError extends defineError('LegacyError', rules) {}
