import type { DecomposedModule } from '../plan/extraction.ts'

/** Names the factors of a module as PEFT does. @param module as it is called in transformers' class */
export function factorNames(
  module: string,
  { isEmbedding }: Pick<DecomposedModule, 'isEmbedding'>,
): { readonly a: string; readonly b: string } {
  const name = `base_model.model.${module}`
  return isEmbedding
    ? { a: `${name}.lora_embedding_A`, b: `${name}.lora_embedding_B` }
    : { a: `${name}.lora_A.weight`, b: `${name}.lora_B.weight` }
}
