import { defineError, defineIssues, quoted, usage } from '@mk/errors'

/** What is wrong at one place of a file. */
export interface MoeFault {
  readonly code: 'invalid-moe-config'
  /** Begins with 'file:line:column: '. */
  readonly text: string
}

const rules = defineIssues({
  'invalid-moe-config': usage<{ readonly faults: readonly MoeFault[] }>(({ faults }) =>
    faults.map(({ text }) => text).join('\n'),
  ),
  'moe-output': usage<{
    readonly wanted?: string
    readonly reasons: readonly { readonly name: string; readonly token: string }[]
  }>(
    ({ wanted, reasons }) =>
      `${wanted === undefined ? 'no mixture can be made of these models' : `no mixture called ${quoted(wanted)} can be made of these models`}: ${reasons.map(({ name, token }) => `${name} ${token}`).join('; ')}`,
  ),
  'moe-without-config': usage<{ readonly model: string }>(
    ({ model }) => `${model} has no config.json, which tells what a model is; expected one in the base model`,
  ),
  'moe-tensor': usage<{ readonly model: string; readonly output: string; readonly names: readonly string[] }>(
    ({ model, output, names }) =>
      `${output} has no place for ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''} of ${model}, and would not do without`,
  ),
  'moe-lacks': usage<{ readonly model: string; readonly names: readonly string[] }>(
    ({ model, names }) =>
      `${model} lacks ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}; expected a model with the tensors of Llama, Mistral, Qwen2 or Qwen3`,
  ),
  'moe-expert': usage<{
    readonly model: string
    readonly name: string
    readonly found: string
    readonly expected: string
  }>(({ model, name, found, expected }) => `${model}: ${name} is ${found}, expected ${expected}, as in the base model`),
  'moe-layers': usage<{ readonly model: string; readonly found: number; readonly expected: number }>(
    ({ model, found, expected }) =>
      `${model} has feed-forward networks in ${found} layers, expected ${expected}, as config.json says`,
  ),
  'moe-setting': usage<{
    readonly model: string
    readonly output: string
    readonly setting: string
    readonly found: string
    readonly expected: string
  }>(
    ({ model, output, setting, found, expected }) =>
      `${output} can't do what config.json of ${model} says: ${setting} is ${found}, expected ${expected}`,
  ),
  'moe-tokenizer': usage<{ readonly model: string; readonly problem: string }>(
    ({ model, problem }) => `the prompts can't be read with the tokenizer of ${model}: ${problem}`,
  ),
  'moe-token': usage<{ readonly model: string; readonly token: number; readonly rows: number }>(
    ({ model, token, rows }) =>
      `a prompt has token ${token}, but the embedding of ${model} has ${rows} rows; expected a tokenizer that fits it`,
  ),
  'moe-gate': usage<{ readonly model: string; readonly problem: string; readonly mode: string }>(
    ({ model, problem, mode }) =>
      `'gate_mode: ${mode}' can't read the prompts with ${model}: ${problem}; 'cheap_embed' needs its token embedding only`,
  ),
})

/** Tells why a mixture of experts can't be planned or made. */
export class MoeError extends defineError('MoeError', rules) {}
