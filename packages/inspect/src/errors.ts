import { defineError, defineIssues, type IssueOf, quoted, usage } from '@mk/errors'

const rules = defineIssues({
  'diff-nothing': usage<{ readonly a: string; readonly b: string }>(
    ({ a, b }) =>
      `nothing to compare: no tensor of ${a} has the name of one of ${b}; expected models of one architecture`,
  ),
  'output-missing': usage<{ readonly path: string }>(
    ({ path }) => `${path} is not there; expected the folder of an output, or a file of weights`,
  ),
  'against-other': usage<{ readonly folder: string; readonly problem: string }>(
    ({ folder, problem }) => `${folder} is no output of that plan: ${problem}`,
  ),
  'against-inputs': usage<{ readonly file: string }>(
    ({ file }) => `${file} is no longer what it was for the plan, or is not there; nothing can be computed anew`,
  ),
  'mask-tensor': usage<{
    readonly tensor: string
    readonly model: string
    readonly merged: string
    readonly shape: readonly number[]
    readonly found: readonly number[] | undefined
  }>(
    ({ tensor, model, merged, shape, found }) =>
      `${model} has ${found === undefined ? 'no' : `[${found.join(', ')}] as its`} ${quoted(tensor)}; expected [${shape.join(', ')}] as in ${merged}, which a mask of the model needs`,
  ),
  'mask-not-finite': usage<{ readonly tensor: string; readonly models: readonly string[] }>(
    ({ tensor, models }) =>
      `${quoted(tensor)} of one of ${models.join(', ')} has infinite values or NaN; a mask and its rescaler can't be told by them`,
  ),
  'mask-exists': usage<{ readonly file: string }>(
    ({ file }) => `${file} is there already; expected a new file, or --overwrite`,
  ),
  'mask-name': usage<{ readonly file: string }>(
    ({ file }) => `a mask is a file of tensors, not ${quoted(file)}; expected a name that ends in .safetensors`,
  ),
  'diagnose-nothing': usage<{ readonly tensorCount: number }>(
    ({ tensorCount }) =>
      `nothing to compare: each of the ${tensorCount} tensors of the output is made of one model; expected a recipe that merges several`,
  ),
})

/** What an InspectError is about, by `code`. */
export type InspectIssue = IssueOf<typeof rules>

/** What can go wrong with comparing, diagnosing or verifying models. Test `code`; the message is for people. */
export class InspectError extends defineError('InspectError', rules) {}
