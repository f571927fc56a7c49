import { defineError, defineIssues, failure, type IssueOf, usage } from '@mk/errors'

const rules = defineIssues({
  'surgeon-setting': usage<{ readonly setting: string; readonly value: unknown; readonly expected: string }>(
    ({ setting, value, expected }) => `${setting} is ${String(value)}; expected ${expected}`,
  ),
  'surgeon-tokenizer': usage<{ readonly model: string; readonly problem: string }>(
    ({ model, problem }) => `${model}: ${problem}; expected a model with tokenizer.json, whose tokens can be compared`,
  ),
  'surgeon-pieces': usage<{ readonly model: string; readonly problem: string }>(
    ({ model, problem }) =>
      `'subword' can't split the new tokens with the tokenizer of ${model}: ${problem}; other methods need no splitting`,
  ),
  'surgeon-config': usage<{ readonly model: string }>(
    ({ model }) => `${model} has no config.json, which the output would have; expected a model's folder`,
  ),
  'surgeon-embedding': usage<{ readonly model: string; readonly names: readonly string[] }>(({ model, names }) =>
    names.length === 0
      ? `${model} has no token embedding that could be told by its name; expected one`
      : `${model} has several matrices over the vocabulary (${names.join(', ')}), which have rows that belong together; expected a model with one embedding and at most one head`,
  ),
  'surgeon-bias': usage<{ readonly model: string; readonly name: string; readonly shape: readonly number[] }>(
    ({ model, name, shape }) =>
      `${model}: ${name} is [${shape.join(', ')}]; expected a bias over the vocabulary in one dimension`,
  ),
  'surgeon-no-overlap': usage<{
    readonly model: string
    readonly donor: string
    readonly name: string
    readonly method: string
  }>(
    ({ model, donor, name, method }) =>
      `${name}: no token of ${donor} is one of ${model} with finite rows in both, and '${method}' makes new rows of those that are; expected tokenizers with common tokens, or 'subword', 'mean', 'zero', 'randn' or 'john_hewitt'`,
  ),
  'surgeon-not-finite': usage<{ readonly model: string; readonly name: string; readonly method: string }>(
    ({ model, name, method }) =>
      `${name} of ${model} has no finite row, of which '${method}' could make the new ones; expected a matrix of numbers`,
  ),
  'surgeon-rope': usage<{ readonly model: string; readonly problem: string }>(
    ({ model, problem }) =>
      `'mp_rope' turns rows as rotary embeddings do, and ${model} ${problem}; 'omp' needs no rotation`,
  ),
  'surgeon-worker': failure<{ readonly reason: string }>(
    ({ reason }) => `a worker thread that computes rows ended: ${reason}`,
  ),
  'surgeon-scratch': failure<{ readonly folder: string; readonly reason: string }>(
    ({ folder, reason }) => `${folder}, where rows are kept until they are written, can't be used: ${reason}`,
  ),
})

/** What a SurgeonError is about, by `code`. */
export type SurgeonIssue = IssueOf<typeof rules>

/** Tells why a vocabulary can't be transplanted. */
export class SurgeonError extends defineError('SurgeonError', rules) {}
