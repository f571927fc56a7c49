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
  'not-in-raw-recipe': usage<{ readonly key: string; readonly where: string }>(
    ({ key, where }) =>
      `${where}: '${key}' has no meaning where tensors are merged by their names alone; mergekit-yaml takes it, for models with a config.json`,
  ),
  'missing-twice': usage<{ readonly where: string; readonly found: unknown; readonly missing: string }>(
    ({ where, found, missing }) =>
      `${where}: the file says 'missing: ${String(found)}', and the option asks for 'missing: ${missing}'; expected one of the two`,
  ),
  'shuffle-models': usage(() => `no models to shuffle: give each one as '--model MODEL'`),
  'shuffle-weights': usage<{ readonly found: number; readonly modelCount: number }>(
    ({ found, modelCount }) =>
      `--weight is given ${found} times for ${modelCount} --model; expected one for each model, or none for equal ones`,
  ),
  'shuffle-weight': usage<{ readonly model: string; readonly weight: number }>(
    ({ model, weight }) =>
      `${model} has the weight ${weight}, expected 0 or more, and more than 0 for one of the models`,
  ),
  'shuffle-stacks': usage<{ readonly model: string; readonly found: number }>(
    ({ model, found }) =>
      `${model} has ${found} stacks of layers, expected one; of several a recipe says which, under 'modules'`,
  ),
  'shuffle-layers': usage<{
    readonly model: string
    readonly found: number
    readonly first: string
    readonly expected: number
  }>(
    ({ model, found, first, expected }) =>
      `${model} has ${found} layers, ${first} ${expected}; expected as many, since each place gets the layer of that number of one of the models (--full-random takes any layer)`,
  ),
  'shuffle-nothing': usage<{ readonly layerCounts: readonly number[]; readonly weights: readonly number[] }>(
    ({ layerCounts, weights }) =>
      `models of ${layerCounts.join(', ')} layers times the weights ${weights.join(', ')} give no layer; expected one or more`,
  ),
  'shuffle-too-many': usage<{ readonly found: number; readonly most: number; readonly weights: readonly number[] }>(
    ({ found, most, weights }) =>
      `the weights ${weights.join(', ')} give ${found} layers, expected at most ${most}; with --full-random the weight 1 stands for as many layers as a model has`,
  ),
  'no-out-path': usage(
    () => `no place for the output: give it as '--out-path FOLDER', or ask for the plan only with --dry-run`,
  ),
  'no-intermediate-dir': usage<{ readonly file: string }>(
    ({ file }) =>
      `all merges of ${file} have names, so that none is the output: give the folder to write all of them into as '--intermediate-dir FOLDER', or leave out the name of the one that is the output`,
  ),
  'nothing-to-push': usage<{ readonly file: string }>(
    ({ file }) =>
      `all merges of ${file} have names, so that --push has no output to upload; leave out the name of the one that is the output`,
  ),
  'yaml-unwritable': usage<{ readonly file: string; readonly reason: string }>(
    ({ file, reason }) => `the recipe could not be written to ${file}: ${reason}`,
  ),
})

/** Tells what is wrong with arguments of the commands here, or with their files. */
export class LegacyError extends defineError('LegacyError', rules) {}
