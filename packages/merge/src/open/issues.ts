import { defineIssues, failure, quoted, usage } from '@mk/errors'
import { listTokens } from './list-tokens.ts'

export interface ModelAt {
  readonly model: string
  /** Of the setting, in the recipe. */
  readonly where: string
}

/** One of several things that are wrong. */
export interface RecipeFaultText {
  readonly code: string
  readonly text: string
}

const maxShown = 20

/** A line for each. */
const listFaults = (faults: readonly RecipeFaultText[]): string =>
  [
    ...faults.slice(0, maxShown).map(({ text }) => text),
    ...(faults.length > maxShown ? [`and ${faults.length - maxShown} more`] : []),
  ].join('\n')

/** Models that a setting of the recipe can't be used with, and code that it may not run. */
export const inputRules = defineIssues({
  'no-model-folder': usage<ModelAt>(
    ({ model, where }) => `${where}: a tokenizer setting needs model folders, but ${model} is a file of weights`,
  ),
  'unknown-merge': usage<{ readonly name: string; readonly nearest: string; readonly where: string }>(
    ({ name, nearest, where }) =>
      `${where}: ${quoted(name)} is neither a merge of this file nor a model; did you mean ${quoted(nearest)}?`,
  ),
  'merge-named-as-method': usage<{ readonly name: string; readonly where: string }>(
    ({ name, where }) => `${where}: the merge is called ${quoted(name)}, which is a merge method; choose another name`,
  ),
  'stage-format': usage<{ readonly key: string; readonly value: string; readonly where: string }>(
    ({ key, value, where }) =>
      `${where}: ${key} is ${value}, which only an output can be, and others are made of this merge; expected it in the recipe without a name`,
  ),
  'gguf-like-merge': usage(
    () =>
      'what a GGUF shows of a family without a map is compared with the weights of the first model, which is a merge itself here; write the model as safetensors, and convert that',
  ),
  'stage-of-ggufs': usage<{ readonly name: string; readonly where: string }>(
    ({ name, where }) =>
      `${where}: ${quoted(name)} merges GGUF files alone, which no further merge can read without a file; merge them first, or beside a model with a config.json`,
  ),
  'stage-of-matrices': usage<{ readonly name: string; readonly method: string; readonly tensor: string }>(
    ({ name, method, tensor }) =>
      `${quoted(name)} merges by ${method}, which works on whole matrices (such as ${tensor}), so that no further merge can read it part by part; merge it into a folder first, and name that folder`,
  ),
  'recipe-file': usage<{ readonly file: string; readonly reason: string; readonly isText: boolean }>(
    ({ file, reason, isText }) =>
      `recipe ${quoted(file)} could not be read: ${isText ? 'expected the path of a file; YAML itself is given as { text }' : reason}`,
  ),
  'recipe-token': usage<{ readonly where: string }>(
    ({ where }) =>
      `${where}: here stands a token of Hugging Face, and the output gets a copy of its recipe; expected it in HF_TOKEN, or in the file that 'hf auth login' writes`,
  ),
  'code-not-allowed': usage<{ readonly module: string; readonly where: string }>(
    ({ module, where }) =>
      `${where}: merge_method is the module ${quoted(module)}; a recipe runs no code unless that is allowed`,
  ),
  'recipe-faults': usage<{ readonly faults: readonly RecipeFaultText[] }>(({ faults }) => listFaults(faults)),
  /** Several that are not here, where the hub can't be asked for them. */
  'models-unreachable': failure<{ readonly faults: readonly RecipeFaultText[] }>(({ faults }) => listFaults(faults)),
  'out-dtype': usage<{
    readonly found: string
    readonly format: string
    readonly expected: readonly string[]
    readonly nearest?: string
    /** Another format that has it. */
    readonly elsewhere?: string
  }>(
    ({ found, format, expected, nearest, elsewhere }) =>
      `out_dtype is ${quoted(found)}; ${format} has ${expected.join(', ')}${nearest === undefined ? '' : ` (did you mean '${nearest}'?)`}${elsewhere === undefined ? '' : `; out_format ${elsewhere} has ${quoted(found)}`}`,
  ),
  'gguf-without-config': usage(
    () => 'a GGUF says what its model computes, but no model has a config.json that tells; write safetensors',
  ),
  'gguf-without-tokenizer': usage(
    () => 'a GGUF has its tokenizer in it, without which llama.cpp can read no text; expected it not to be left out',
  ),
  'experts-differ': usage<{
    readonly family: string
    /** A model with a tensor for each expert, and one of these tensors. */
    readonly model: string
    readonly name: string
    /** A model with packed ones. */
    readonly other: string
    readonly packedName: string
    readonly shape: readonly number[]
    /** Whether released checkpoints of the family have packed ones. */
    readonly isPackedOnHub: boolean
  }>(
    ({ family, model, name, other, packedName, shape, isPackedOnHub }) =>
      `${model} has a tensor for each expert (${name}), and ${other} has packed ones (${packedName}, [${shape.join(', ')}]); ${
        isPackedOnHub
          ? `released checkpoints of ${family} have packed ones, and separate ones are never packed`
          : 'only packed ones of [experts, 2 · inner, hidden] and [experts, hidden, inner] can be taken apart'
      }; expected the same form in both, as transformers writes it when it saves them anew`,
  ),
  'gguf-like': usage<{ readonly path: string; readonly isGguf: boolean }>(({ path, isGguf }) =>
    isGguf
      ? `an output can only be like ${quoted(path)} where it is a GGUF; expected out_format gguf`
      : `${quoted(path)} is no GGUF that an output could be like`,
  ),
  'gguf-like-pending': usage(
    () =>
      'what becomes of the tensors of a family without a map is found by comparing their elements, which are not here yet; merge once to safetensors, or fetch the models first',
  ),
  'no-embedding': usage<ModelAt>(
    ({ model, where }) => `${where}: a tokenizer setting needs token embeddings, but none was found in ${model}`,
  ),
  'template-without-rows': usage<{
    readonly model: string
    readonly tokens: readonly string[]
    /** Which tokens lose their rows, and why; in words. */
    readonly cut: string
    /** The line of the recipe that keeps them; in words. */
    readonly remedy: string
  }>(
    ({ model, tokens, cut, remedy }) =>
      `the chat template of ${model} writes ${listTokens(tokens)}, which the output has no row for, so that a chat fails: ${cut}; ${remedy}`,
  ),
})
