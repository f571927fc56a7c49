import { defineIssues, quoted, shortened, usage } from '@mk/errors'

type Shape = readonly number[]

type OfFile = {
  readonly file: string
}

/** `adapter` is the folder or hub id as the reference names it, `tensor` one of its tensors. */
type OfTensor = {
  readonly adapter: string
  readonly tensor: string
}

/** Declares what can be wrong with a LoRA adapter, or between it and the model that it is for. */
export const adapterIssues = defineIssues({
  'adapter-config': usage<OfFile & { readonly problem: string; readonly expected: string }>(
    ({ file, problem, expected }) => `${file}: ${problem}; expected ${expected}`,
  ),
  'adapter-type': usage<OfFile & { readonly found: string }>(
    ({ file, found }) =>
      `${file}: the adapter's peft_type is ${found}; expected LORA, the only kind that can be applied while reading`,
  ),
  'adapter-option': usage<OfFile & { readonly option: string; readonly value: string }>(
    ({ file, option, value }) =>
      `${file}: ${option} is ${value}, which can't be applied while reading; expected plain LoRA (merge the adapter into its model with PEFT first)`,
  ),
  'adapter-pattern': usage<OfFile & { readonly pattern: string }>(
    ({ file, pattern }) =>
      `${file}: the pattern ${quoted(pattern)} is too involved to be matched safely; expected a name, or an expression of at most three repetitions without nesting`,
  ),
  'adapter-weights-missing': usage<{ readonly adapter: string }>(
    ({ adapter }) =>
      `${adapter} has an adapter_config.json, but neither adapter_model.safetensors nor adapter_model.bin`,
  ),
  'adapter-unmatched': usage<OfTensor & { readonly expected: string; readonly candidates: readonly string[] }>(
    ({ adapter, tensor, expected, candidates }) =>
      candidates.length > 0
        ? `${adapter}: tensor ${quoted(tensor)} could be for any of ${shortened(candidates.join(', '))}; expected the model to have one ${quoted(expected)}`
        : `${adapter}: tensor ${quoted(tensor)} is for ${quoted(expected)}, which the model does not have; is the adapter for another model?`,
  ),
  'adapter-twice': usage<OfTensor & { readonly other: string; readonly target: string }>(
    ({ adapter, tensor, other, target }) =>
      `${adapter}: tensors ${quoted(other)} and ${quoted(tensor)} are both for ${quoted(target)}`,
  ),
  'adapter-incomplete': usage<OfTensor & { readonly missing: string }>(
    ({ adapter, tensor, missing }) => `${adapter}: tensor ${quoted(tensor)} has no counterpart ${quoted(missing)}`,
  ),
  'adapter-rank': usage<OfTensor & { readonly found: number; readonly expected: number }>(
    ({ adapter, tensor, found, expected }) =>
      `${adapter}: tensor ${quoted(tensor)} has the rank ${found}, but r in adapter_config.json (or rank_pattern) says ${expected}`,
  ),
  'adapter-shape': usage<
    OfTensor & {
      readonly shape: Shape
      readonly target: string
      readonly targetShape: Shape
      readonly expected: string
    }
  >(
    ({ adapter, tensor, shape, target, targetShape, expected }) =>
      `${adapter}: tensor ${quoted(tensor)} ${sizes(shape)} does not fit ${quoted(target)} ${sizes(targetShape)}; expected ${expected}`,
  ),
  'adapter-dtype': usage<OfTensor & { readonly dtype: string }>(
    ({ adapter, tensor, dtype }) =>
      `${adapter}: an adapter can't change tensor ${quoted(tensor)}, whose dtype is ${dtype}; expected floating-point numbers`,
  ),
})

const sizes = (shape: Shape): string => `[${shape.join(', ')}]`
