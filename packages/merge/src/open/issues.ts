import { defineIssues, usage } from '@mk/errors'
import { listTokens } from './list-tokens.ts'

export interface ModelAt {
  readonly model: string
  /** Of the setting, in the recipe. */
  readonly where: string
}

/** Models that a setting of the recipe can't be used with. */
export const inputRules = defineIssues({
  'no-model-folder': usage<ModelAt>(
    ({ model, where }) => `${where}: a tokenizer setting needs model folders, but ${model} is a file of weights`,
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
