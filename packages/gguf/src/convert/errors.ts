import { defineError, defineIssues, type IssueOf, quoted, shortened, usage } from '@mk/errors'

/** Names some of a list, and says how many more there are. */
export const some = (names: readonly string[]): string =>
  `${names
    .slice(0, 3)
    .map((name) => quoted(name))
    .join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`

const rules = defineIssues({
  'gguf-family': usage<{ readonly found: string; readonly known: string }>(
    ({ found, known }) => `config.json: ${shortened(found)} has no map to GGUF; known are ${known}`,
  ),
  'gguf-config': usage<{ readonly path: string; readonly expected: string; readonly found: string }>(
    ({ path, expected, found }) => `config.json: ${shortened(path)} is ${shortened(found)}; expected ${expected}`,
  ),
  'gguf-setting': usage<{ readonly path: string; readonly found: string; readonly computed: string }>(
    ({ path, found, computed }) =>
      `config.json: ${shortened(path)} is ${shortened(found)}, but llama.cpp computes this family with ${shortened(computed)}; its outputs would be wrong`,
  ),
  'gguf-unmapped-tensors': usage<{ readonly family: string; readonly tensors: string }>(
    ({ family, tensors }) =>
      `the map of ${family} has no place in a GGUF for ${tensors}; expected the tensors of transformers' ${family}`,
  ),
  'gguf-missing-tensors': usage<{ readonly family: string; readonly tensors: string }>(
    ({ family, tensors }) => `the checkpoint has nothing for ${tensors} of a GGUF of ${family}; llama.cpp needs them`,
  ),
  'gguf-unlike': usage<{ readonly tensor: string; readonly target: string }>(
    ({ tensor, target }) =>
      `tensor '${shortened(tensor)}' is not like '${shortened(target)}' of the GGUF that the output is to be like, in whatever order its rows are taken; expected a GGUF of the same model, or of one trained from it`,
  ),
  'gguf-donor': usage<{ readonly key: string; readonly expected: string }>(
    ({ key, expected }) =>
      `the GGUF that the output is to be like says nothing of use as ${quoted(key)}; expected ${shortened(expected)}`,
  ),
  'gguf-no-way-back': usage<{ readonly architecture: string; readonly other: string; readonly known: string }>(
    ({ architecture, other, known }) =>
      `a GGUF of ${quoted(architecture)} can't be merged with a model of ${quoted(other)}; expected ${known === '' ? 'other GGUFs of that architecture, for which there is no map' : `other GGUFs, or models of ${known}`}`,
  ),
  'gguf-unrestored-tensors': usage<{ readonly family: string; readonly tensors: string }>(
    ({ family, tensors }) => `the map of ${family} has no name in transformers for ${tensors} of the GGUF`,
  ),
  'gguf-tensor-rows': usage<{ readonly tensor: string; readonly shape: string; readonly expected: string }>(
    ({ tensor, shape, expected }) =>
      `tensor '${shortened(tensor)}' has the shape ${shape}; expected ${shortened(expected)}`,
  ),
  'gguf-no-tokenizer': usage(
    () =>
      'the model has neither tokenizer.json nor tokenizer.model, without which llama.cpp can read no text; expected one',
  ),
  'gguf-tokenizer': usage<{ readonly file: string; readonly what: string; readonly expected: string }>(
    ({ file, what, expected }) => `${file}: ${shortened(what)}; expected ${expected}`,
  ),
  'gguf-pre-tokenizer': usage<{ readonly definition: string; readonly known: string }>(
    ({ definition, known }) =>
      `tokenizer.json: llama.cpp has no name for this way of splitting text, as far as is known here: ${shortened(definition)}; known are ${known}`,
  ),
  'gguf-vocabulary': usage<{ readonly tokens: number; readonly rows: number }>(
    ({ tokens, rows }) =>
      `the tokenizer has tokens up to id ${tokens - 1}, but the embedding ${rows} rows; expected one for each`,
  ),
})

/** What a ConversionError is about, by `code`. */
export type ConversionIssue = IssueOf<typeof rules>

/** Tells what of a model can't be said in a GGUF. Test `code`; `issue` carries what is needed to mend it. */
export class ConversionError extends defineError('ConversionError', rules) {}
