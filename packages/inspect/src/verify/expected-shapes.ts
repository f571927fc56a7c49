/** The settings that shapes follow from. */
interface Sizes {
  readonly hidden: number
  readonly vocabulary: number | undefined
  readonly intermediate: number | undefined
  readonly queries: number | undefined
  readonly keys: number | undefined
  readonly head: number | undefined
  readonly experts: number | undefined
  readonly expertIntermediate: number | undefined
}

type Rule = readonly [name: RegExp, shape: (sizes: Sizes) => readonly (number | undefined)[]]

/** Of every model that calls them so. */
const always: readonly Rule[] = [
  [
    /(^|\.)(embed_tokens|wte|word_embeddings|embed_in|tok_embeddings)\.weight$/,
    ({ vocabulary, hidden }) => [vocabulary, hidden],
  ],
  [/^lm_head\.weight$/, ({ vocabulary, hidden }) => [vocabulary, hidden]],
  [/^(model\.)?norm\.weight$/, ({ hidden }) => [hidden]],
]

/** Of families whose layers are built as Llama's. */
const likeLlama: readonly Rule[] = [
  [/\.(input|post_attention|pre_feedforward|post_feedforward)_layernorm\.weight$/, ({ hidden }) => [hidden]],
  [/\.self_attn\.q_proj\.weight$/, ({ queries, hidden }) => [queries, hidden]],
  [/\.self_attn\.[kv]_proj\.weight$/, ({ keys, hidden }) => [keys, hidden]],
  [/\.self_attn\.q_proj\.bias$/, ({ queries }) => [queries]],
  [/\.self_attn\.[kv]_proj\.bias$/, ({ keys }) => [keys]],
  [/\.self_attn\.o_proj\.weight$/, ({ queries, hidden }) => [hidden, queries]],
  [/\.layers\.\d+\.mlp\.(gate|up)_proj\.weight$/, ({ intermediate, hidden }) => [intermediate, hidden]],
  [/\.layers\.\d+\.mlp\.down_proj\.weight$/, ({ intermediate, hidden }) => [hidden, intermediate]],
  [/\.block_sparse_moe\.gate\.weight$/, ({ experts, hidden }) => [experts, hidden]],
  [/\.block_sparse_moe\.experts\.\d+\.w[13]\.weight$/, ({ intermediate, hidden }) => [intermediate, hidden]],
  [/\.block_sparse_moe\.experts\.\d+\.w2\.weight$/, ({ intermediate, hidden }) => [hidden, intermediate]],
  [/\.mlp\.experts\.\d+\.(gate|up)_proj\.weight$/, ({ expertIntermediate, hidden }) => [expertIntermediate, hidden]],
  [/\.mlp\.experts\.\d+\.down_proj\.weight$/, ({ expertIntermediate, hidden }) => [hidden, expertIntermediate]],
]

const families =
  /^(llama|mistral|mixtral|qwen2|qwen2_moe|qwen3|qwen3_moe|gemma|gemma2|gemma3_text|olmo|olmo2|granite|solar|smollm3|seed_oss)$/

/**
 * Tells which shape a tensor must have in a model with such a config.json, for transformers to load it; undefined where that isn't known.
 * @param config that of the language part, where there are several
 */
export function expectedShape(name: string, config: Readonly<Record<string, unknown>>): readonly number[] | undefined {
  const sizes = sizesOf(config)
  if (sizes === undefined) return undefined
  const isLikeLlama = families.test(String(config['model_type']))
  const rule = [...always, ...(isLikeLlama ? likeLlama : [])].find(([pattern]) => pattern.test(name))
  const shape = rule?.[1](sizes)
  return shape?.every((size) => size !== undefined) === true ? (shape as number[]) : undefined
}

function sizesOf(config: Readonly<Record<string, unknown>>): Sizes | undefined {
  const number = (...keys: readonly string[]): number | undefined =>
    keys.map((key) => config[key]).find((value): value is number => typeof value === 'number')
  const hidden = number('hidden_size', 'n_embd', 'd_model')
  // Those whose embeddings are narrower than their layers.
  if (hidden === undefined || ['embedding_size', 'word_embed_proj_dim', 'embedding_dim'].some((key) => key in config))
    return undefined
  const heads = number('num_attention_heads', 'n_head')
  const head = number('head_dim') ?? (heads === undefined ? undefined : hidden / heads)
  const times = (count: number | undefined) => (head === undefined || count === undefined ? undefined : head * count)
  return {
    hidden,
    vocabulary: number('vocab_size'),
    intermediate: number('intermediate_size'),
    head,
    queries: times(heads),
    keys: times(number('num_key_value_heads') ?? heads),
    experts: number('num_local_experts', 'num_experts'),
    expertIntermediate: number('moe_intermediate_size'),
  }
}
