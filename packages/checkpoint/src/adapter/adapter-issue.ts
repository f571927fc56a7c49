import type { TensorSource } from '@mk/source'

type Shape = readonly number[]

/** What can be wrong with a LoRA adapter, or between it and the model that it is for. */
export type AdapterIssue =
  | { readonly code: 'adapter-config'; readonly file: string; readonly problem: string; readonly expected: string }
  | { readonly code: 'adapter-type'; readonly file: string; readonly found: string }
  | { readonly code: 'adapter-option'; readonly file: string; readonly option: string; readonly value: string }
  | { readonly code: 'adapter-pattern'; readonly file: string; readonly pattern: string }
  | { readonly code: 'adapter-weights-missing'; readonly adapter: string }
  | {
      readonly code: 'adapter-unmatched'
      readonly adapter: string
      readonly tensor: string
      readonly expected: string
      readonly candidates: readonly string[]
    }
  | {
      readonly code: 'adapter-twice'
      readonly adapter: string
      readonly tensor: string
      readonly other: string
      readonly target: string
    }
  | { readonly code: 'adapter-incomplete'; readonly adapter: string; readonly tensor: string; readonly missing: string }
  | {
      readonly code: 'adapter-rank'
      readonly adapter: string
      readonly tensor: string
      readonly found: number
      readonly expected: number
    }
  | {
      readonly code: 'adapter-shape'
      readonly adapter: string
      readonly tensor: string
      readonly shape: Shape
      readonly target: string
      readonly targetShape: Shape
      readonly expected: string
    }
  | {
      readonly code: 'adapter-dtype'
      readonly adapter: string
      readonly tensor: string
      readonly dtype: TensorSource['dtype']
    }

type Messages = { readonly [Code in AdapterIssue['code']]: (issue: Extract<AdapterIssue, { code: Code }>) => string }

const sizes = (shape: Shape): string => `[${shape.join(', ')}]`

export const adapterMessages: Messages = {
  'adapter-config': ({ file, problem, expected }) => `${file}: ${problem}; expected ${expected}`,
  'adapter-type': ({ file, found }) =>
    `${file}: the adapter's peft_type is ${found}; expected LORA, the only kind that can be applied while reading`,
  'adapter-option': ({ file, option, value }) =>
    `${file}: ${option} is ${value}, which can't be applied while reading; expected plain LoRA (merge the adapter into its model with PEFT first)`,
  'adapter-pattern': ({ file, pattern }) =>
    `${file}: the pattern '${pattern}' is too involved to be matched safely; expected a name, or an expression of at most three repetitions without nesting`,
  'adapter-weights-missing': ({ adapter }) =>
    `${adapter} has an adapter_config.json, but neither adapter_model.safetensors nor adapter_model.bin`,
  'adapter-unmatched': ({ adapter, tensor, expected, candidates }) =>
    candidates.length > 0
      ? `${adapter}: tensor '${tensor}' could be for any of ${candidates.join(', ')}; expected the model to have one '${expected}'`
      : `${adapter}: tensor '${tensor}' is for '${expected}', which the model does not have; is the adapter for another model?`,
  'adapter-twice': ({ adapter, tensor, other, target }) =>
    `${adapter}: tensors '${other}' and '${tensor}' are both for '${target}'`,
  'adapter-incomplete': ({ adapter, tensor, missing }) =>
    `${adapter}: tensor '${tensor}' has no counterpart '${missing}'`,
  'adapter-rank': ({ adapter, tensor, found, expected }) =>
    `${adapter}: tensor '${tensor}' has the rank ${found}, but r in adapter_config.json (or rank_pattern) says ${expected}`,
  'adapter-shape': ({ adapter, tensor, shape, target, targetShape, expected }) =>
    `${adapter}: tensor '${tensor}' ${sizes(shape)} does not fit '${target}' ${sizes(targetShape)}; expected ${expected}`,
  'adapter-dtype': ({ adapter, tensor, dtype }) =>
    `${adapter}: an adapter can't change tensor '${tensor}', whose dtype is ${dtype}; expected floating-point numbers`,
}
