/** What transformers computes anew when it loads a model; old checkpoints carry it, new ones do not. What a GGUF has computed. */
const bufferNames = [
  /(?:^|\.)rotary_(?:pos_)?emb\.(?:inv_freq|cos_cached|sin_cached|original_inv_freq)$/,
  /(?:^|\.)masked_bias$/,
  /(?:^|\.)(?:position_ids|token_type_ids|relative_position_index|num_batches_tracked|attn_mask|causal_mask)$/,
  /^rope_(?:freqs|factors_long|factors_short)\.weight$/,
]
const causalMask = /(?:^|\.)(?:attn|attention|attn\.attention|attention\.attention)\.bias$/

/**
 * Whether a tensor is no weight but something that is computed anew. Causal masks of GPT-2 and GPT-NeoX are named like a
 * bias (`attn.bias`) and told from one by their shape, `[1, 1, n, n]`.
 */
export function isBuffer(name: string, shape?: readonly number[]): boolean {
  // Most tensors, and those of a large model are many.
  if (name.endsWith('.weight') && !name.startsWith('rope_')) return false
  if (bufferNames.some((pattern) => pattern.test(name))) return true
  return causalMask.test(name) && (shape === undefined || shape.length === 4)
}
