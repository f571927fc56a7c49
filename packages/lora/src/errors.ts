import { counted, defineError, defineIssues, failure, type IssueOf, quoted, shortened, usage } from '@mk/errors'

type Shape = readonly number[]
const sizes = (shape: Shape): string => `[${shape.join(', ')}]`

const planRules = defineIssues({
  /** Tensors of a fine-tune that the base doesn't have: no difference can be taken. */
  'extract-unmatched': usage<{ readonly model: string; readonly base: string; readonly tensors: readonly string[] }>(
    ({ model, base, tensors }) =>
      `${base} has no counterpart for ${counted(tensors.length, 'tensor')} of ${model}: ${shortened(tensors.map((name) => quoted(name)).join(', '))}; expected a fine-tune and the model that it was made from`,
  ),
  'extract-shape': usage<{ readonly tensor: string; readonly shape: Shape; readonly baseShape: Shape }>(
    ({ tensor, shape, baseShape }) =>
      `tensor ${quoted(tensor)} is ${sizes(shape)} in the fine-tune, but ${sizes(baseShape)} in the base; expected equal shapes, except for the rows of embeddings and heads`,
  ),
  'extract-dtype': usage<{ readonly tensor: string; readonly dtype: string }>(
    ({ tensor, dtype }) =>
      `tensor ${quoted(tensor)} is ${dtype}, which has no difference; expected floating-point numbers, or the tensor among those left out`,
  ),
  /** Nothing that a pattern, the models or the settings leave can be decomposed, or saved. */
  'extract-nothing': usage<{ readonly model: string; readonly base: string; readonly reason: string }>(
    ({ model, base, reason }) => `nothing to extract from ${model} and ${base}: ${reason}`,
  ),
  'extract-pattern': usage<{ readonly pattern: string; readonly problem: string }>(
    ({ pattern, problem }) => `the pattern ${quoted(pattern)} is no regular expression: ${problem}`,
  ),
  'extract-setting': usage<{ readonly setting: string; readonly value: string; readonly expected: string }>(
    ({ setting, value, expected }) => `${setting} is ${value}, expected ${expected}`,
  ),
  'extract-save-unknown': usage<{ readonly module: string }>(
    ({ module }) => `no module is called ${quoted(module)}, which was to be saved whole`,
  ),
})

const runRules = defineIssues({
  'extract-not-finite': usage<{ readonly tensor: string }>(
    ({ tensor }) =>
      `the difference of tensor ${quoted(tensor)} is not finite: expected no NaN and no infinity in either model`,
  ),
  /** Only where the caller asks for it. */
  'extract-values-not-finite': usage<{ readonly found: string }>(
    ({ found }) => `NaN or infinite values: ${found}; expected only finite ones`,
  ),
  'extract-worker': failure<{ readonly reason: string }>(({ reason }) => `a worker thread failed: ${reason}`),
  'extract-exists': usage<{ readonly folder: string }>(
    ({ folder }) => `${folder} is there already: expected the name of a new folder`,
  ),
  'extract-strangers': usage<{ readonly folder: string; readonly names: readonly string[] }>(
    ({ folder, names }) =>
      `${folder} has files that no adapter has: ${shortened(names.map((name) => quoted(name)).join(', '))}; expected a folder that holds an adapter, or none`,
  ),
})

const rules = defineIssues({ ...planRules, ...runRules })

/** What a LoraError is about, by `code`. */
export type LoraIssue = IssueOf<typeof rules>

/** What can go wrong with extracting an adapter. Test `code`; the message is for people. */
export class LoraError extends defineError('LoraError', rules) {}
