import { defineIssues, usage } from '@mk/errors'

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
})
