import { isBuffer } from './buffers.ts'
import type { ModelConfig } from './layout.ts'
import { headPattern, tokenEmbeddingPattern } from './roles.ts'
import { tiedByConfig } from './tied.ts'

const sharedName = /(?:^|\.)shared\.weight$/
const copyOfShared = /(?:^|\.)(?:encoder|decoder)\.embed_tokens\.weight$/
/** Biases of heads that two modules hold. */
const headBias = /(?:^|\.)(?:predictions|lm_head)\.(?:decoder\.)?bias$/

/**
 * Whether a tensor that isn't stored is none of its own: a copy of one that is (the embeddings of an encoder and a decoder, a head
 * that config.json or the family ties), or a buffer, which is computed anew.
 * @param stored the names of all tensors that the checkpoint has
 */
export function isTiedCopy(name: string, stored: Iterable<string>, config: ModelConfig | undefined): boolean {
  if (isBuffer(name, [])) return true
  const names = [...stored]
  if (copyOfShared.test(name) && names.some((other) => sharedName.test(other))) return true
  if (headBias.test(name)) return names.some((other) => other !== name && headBias.test(other))
  if (sharedName.test(name)) return names.some((other) => copyOfShared.test(other))
  const isHead = headPattern.test(name)
  if (!isHead && !tokenEmbeddingPattern.test(name)) return false
  // Of the two, either may be what is stored.
  const twin = isHead ? tokenEmbeddingPattern : headPattern
  return tiedByConfig(config) !== false && names.some((other) => twin.test(other) || (isHead && sharedName.test(other)))
}
