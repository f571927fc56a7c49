import type { ModelConfig } from '@mk/architecture'
import type { ConfigFacts } from './output.ts'

/** What transformers takes a setting to be that config.json doesn't name, where families differ. */
const defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  llama: { max_position_embeddings: 2048 },
  mistral: { max_position_embeddings: 131_072, sliding_window: 4096 },
  qwen2: { max_position_embeddings: 32_768, sliding_window: 4096 },
  qwen3: { max_position_embeddings: 32_768, sliding_window: 4096 },
}

/** Gives a setting of the base, stated or not. */
export const settingOf = ({ base, family }: Pick<ConfigFacts, 'base' | 'family'>, key: string): unknown =>
  base[key] === undefined ? defaults[family]?.[key] : base[key]

const copied = [
  'attention_dropout',
  'bos_token_id',
  'eos_token_id',
  'pad_token_id',
  'dtype',
  'torch_dtype',
  'transformers_version',
  'use_cache',
]

/** What every output's config.json says of what it has from the base, with nothing left to defaults, which differ from family to family. */
export function commonSettings(facts: ConfigFacts): Record<string, unknown> {
  const { base, sizes } = facts
  return {
    ...Object.fromEntries(copied.filter((key) => base[key] !== undefined).map((key) => [key, base[key]])),
    head_dim: sizes.headSize,
    hidden_act: base['hidden_act'] ?? 'silu',
    hidden_size: sizes.hidden,
    initializer_range: base['initializer_range'] ?? 0.02,
    intermediate_size: sizes.intermediate,
    max_position_embeddings: settingOf(facts, 'max_position_embeddings'),
    num_attention_heads: sizes.heads,
    num_hidden_layers: sizes.layers,
    num_key_value_heads: sizes.keyHeads,
    rms_norm_eps: base['rms_norm_eps'] ?? 1e-6,
    ...rotarySettings(base),
    tie_word_embeddings: base['tie_word_embeddings'] ?? false,
    vocab_size: base['vocab_size'],
  }
}

/** As the base spells them: since transformers 5 under `rope_parameters`. */
function rotarySettings(base: ModelConfig): Record<string, unknown> {
  const given = ['rope_parameters', 'rope_theta', 'rope_scaling'].filter((key) => base[key] !== undefined)
  const stated = Object.fromEntries(given.map((key) => [key, base[key]]))
  return 'rope_parameters' in stated || 'rope_theta' in stated ? stated : { ...stated, rope_theta: 10_000 }
}

/** How far back the layers of the base attend, in words of Qwen's: Mistral's layers are all alike. */
export function windowSettings(facts: ConfigFacts): Record<string, unknown> {
  const { base, family, sizes } = facts
  if (family === 'llama') return { max_window_layers: sizes.layers, sliding_window: null, use_sliding_window: false }
  if (family === 'mistral') {
    const window = settingOf(facts, 'sliding_window')
    return { max_window_layers: 0, sliding_window: window, use_sliding_window: window !== null }
  }
  const layerTypes = base['layer_types']
  return {
    ...(layerTypes !== undefined && { layer_types: layerTypes }),
    max_window_layers: base['max_window_layers'] ?? 28,
    sliding_window: base['use_sliding_window'] === true ? settingOf(facts, 'sliding_window') : null,
    use_sliding_window: base['use_sliding_window'] ?? false,
  }
}

/** Whether some layers of the base attend to the last tokens only. */
export const hasWindow = (facts: ConfigFacts): boolean => windowSettings(facts)['use_sliding_window'] === true
