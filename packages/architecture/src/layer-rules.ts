import type { ModelConfig } from './layout.ts'

/**
 * What a layer is by its own number. A list in config.json with an entry per layer (`list`) goes before the rule where there
 * is one, and can say any order; the rule alone can't.
 */
export interface LayerRule {
  /** The settings it follows from, for a message. */
  readonly keys: readonly string[]
  /** Model types that obey it, with what their classes take where config.json is silent; every one where this is absent. */
  readonly families?: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** The side of an encoder-decoder that it is about. */
  readonly side?: 'encoder' | 'decoder'
  /** Model types that have a rule of their own for these keys. */
  readonly except?: ReadonlySet<string>
  /** What layer `index` of `count` is; undefined where the settings don't say. */
  readonly kindOf: (setting: (key: string) => unknown, index: number, count: number) => unknown
  /** The list that says the same: entries are kinds, or it has the numbers of the layers whose kind is true. */
  readonly list?: { readonly key: string; readonly form: 'kinds' | 'numbers' }
  /** Settings that give layers these kinds, where there are any. */
  readonly fit?: ((kinds: readonly unknown[]) => ModelConfig | undefined) | undefined
}

const number = (value: unknown): number | undefined => (typeof value === 'number' && value > 0 ? value : undefined)

/** A kind that every `period`-th layer has, the last of each. */
const every =
  (key: string, yes: unknown, no: unknown): LayerRule['kindOf'] =>
  (setting, index) => {
    const period = number(setting(key))
    if (period === undefined) return undefined
    return (index + 1) % period === 0 ? yes : no
  }

/** One kind for the first layers, another for the rest. */
const fromOn = (key: string, before: unknown, after: unknown): Pick<LayerRule, 'keys' | 'kindOf' | 'fit'> => ({
  keys: [key],
  kindOf: (setting, index) => {
    const first = setting(key)
    if (typeof first !== 'number') return undefined
    return index >= first ? after : before
  },
  fit: (kinds) => {
    const first = kinds.filter((kind) => kind === before).length
    return kinds.every((kind, index) => kind === (index >= first ? after : before)) ? { [key]: first } : undefined
  },
})
const denseFirst = (key: string): LayerRule => ({
  ...fromOn(key, 'dense', 'sparse'),
  list: { key: 'mlp_layer_types', form: 'kinds' },
})

const periodAndOffset = (what: string): Pick<LayerRule, 'keys' | 'kindOf'> => ({
  keys: [`${what}_layer_period`, `${what}_layer_offset`],
  kindOf: (setting, index) => {
    const period = number(setting(`${what}_layer_period`))
    return period === undefined ? undefined : index % period === (setting(`${what}_layer_offset`) ?? 0)
  },
})

const silent = {}
const sides = ['encoder', 'decoder'] as const

const knownRules: readonly LayerRule[] = [
  {
    keys: ['sliding_window_pattern', '_sliding_window_pattern'],
    families: {
      gemma2: { sliding_window_pattern: 2 },
      gemma3: { sliding_window_pattern: 6 },
      gemma3_text: { sliding_window_pattern: 6 },
      cohere2: { sliding_window_pattern: 4 },
    },
    kindOf: (setting, index, count) =>
      every('pattern', 'full_attention', 'sliding_attention')(
        () => setting('sliding_window_pattern') ?? setting('_sliding_window_pattern'),
        index,
        count,
      ),
    list: { key: 'layer_types', form: 'kinds' },
  },
  {
    keys: ['max_window_layers'],
    kindOf: (setting, index) => {
      const first = setting('max_window_layers')
      if (typeof first !== 'number' || setting('use_sliding_window') === undefined) return undefined
      return setting('use_sliding_window') === true && index >= first ? 'sliding_attention' : 'full_attention'
    },
    fit: fromOn('max_window_layers', 'full_attention', 'sliding_attention').fit,
    list: { key: 'layer_types', form: 'kinds' },
  },
  {
    keys: ['global_attn_every_n_layers'],
    families: {
      modernbert: { global_attn_every_n_layers: 3 },
      'modernbert-decoder': { global_attn_every_n_layers: 3 },
    },
    kindOf: (setting, index) => {
      const period = number(setting('global_attn_every_n_layers'))
      if (period === undefined) return undefined
      return index % period === 0 ? 'full_attention' : 'sliding_attention'
    },
    list: { key: 'layer_types', form: 'kinds' },
  },
  {
    keys: ['global_attn_every_n_layers'],
    families: { afmoe: { global_attn_every_n_layers: 4 } },
    kindOf: every('global_attn_every_n_layers', 'full_attention', 'sliding_attention'),
    list: { key: 'layer_types', form: 'kinds' },
  },
  {
    keys: ['full_attention_interval'],
    families: {
      qwen3_next: { full_attention_interval: 4 },
      qwen3_5: { full_attention_interval: 4 },
      qwen3_5_text: { full_attention_interval: 4 },
      qwen3_5_moe: { full_attention_interval: 4 },
      qwen3_5_moe_text: { full_attention_interval: 4 },
    },
    kindOf: every('full_attention_interval', 'full_attention', 'linear_attention'),
    list: { key: 'layer_types', form: 'kinds' },
  },
  {
    keys: ['no_rope_layer_interval'],
    families: {
      llama4: { no_rope_layer_interval: 4 },
      llama4_text: { no_rope_layer_interval: 4 },
      smollm3: { no_rope_layer_interval: 4 },
    },
    kindOf: every('no_rope_layer_interval', 0, 1),
    list: { key: 'no_rope_layers', form: 'kinds' },
  },
  {
    keys: ['interleave_moe_layer_step'],
    families: { llama4: { interleave_moe_layer_step: 1 }, llama4_text: { interleave_moe_layer_step: 1 } },
    kindOf: every('interleave_moe_layer_step', true, false),
    list: { key: 'moe_layers', form: 'numbers' },
  },
  {
    keys: ['decoder_sparse_step', 'mlp_only_layers'],
    families: Object.fromEntries(
      ['qwen2_moe', 'qwen3_moe', 'qwen3_next', 'qwen3_vl_moe', 'qwen3_vl_moe_text', 'flint'].map((family) => [
        family,
        silent,
      ]),
    ),
    kindOf: (setting, index) => {
      const step = number(setting('decoder_sparse_step'))
      const dense = setting('mlp_only_layers')
      if (step === undefined) return undefined
      return (index + 1) % step === 0 && !(Array.isArray(dense) && dense.includes(index))
    },
    fit: (kinds) => ({
      decoder_sparse_step: 1,
      mlp_only_layers: kinds.flatMap((isSparse, index) => (isSparse === true ? [] : [index])),
    }),
  },
  ...sides.flatMap((side): LayerRule[] => [
    {
      keys: [`${side}_sparse_step`],
      side,
      families: { 'nllb-moe': silent },
      kindOf: every(`${side}_sparse_step`, true, false),
    },
    {
      // The step itself is computed anew, whatever is written.
      keys: [`num_sparse_${side}_layers`],
      side,
      families: { switch_transformers: { [`num_sparse_${side}_layers`]: 3 } },
      kindOf: (setting, index, count) => {
        const sparse = number(setting(`num_sparse_${side}_layers`))
        if (sparse === undefined) return undefined
        const step = Math.floor(count / sparse)
        return step === 1 || index % step === 1
      },
      fit: (kinds) => ({ [`num_sparse_${side}_layers`]: kinds.filter((isSparse) => isSparse === true).length }),
    },
  ]),
  denseFirst('first_k_dense_replace'),
  denseFirst('num_dense_layers'),
  fromOn('num_hash_layers', 'hash', 'learned'),
  fromOn('n_hash_layers', 'hash', 'learned'),
  {
    keys: ['moe_layer_freq'],
    kindOf: (setting, index) => {
      const period = number(setting('moe_layer_freq'))
      return period === undefined ? undefined : index % period === 0
    },
  },
  {
    keys: ['moe_layer_interval', 'moe_layer_start_index', 'moe_layer_end_index'],
    kindOf: (setting, index, count) => {
      const period = number(setting('moe_layer_interval'))
      const [start, end] = [setting('moe_layer_start_index') ?? 0, setting('moe_layer_end_index') ?? -1]
      if (period === undefined || typeof start !== 'number' || typeof end !== 'number') return undefined
      return (index + 1) % period === 0 && index >= start && index <= (end < 0 ? count - 1 : end)
    },
  },
  {
    keys: ['num_kv_shared_layers'],
    kindOf: (setting, index, count) => {
      const shared = number(setting('num_kv_shared_layers'))
      return shared === undefined ? undefined : index >= count - shared
    },
    fit: (kinds) => {
      const shared = kinds.filter((kind) => kind === true).length
      return kinds.every((kind, index) => kind === index >= kinds.length - shared)
        ? { num_kv_shared_layers: shared }
        : undefined
    },
  },
  { ...periodAndOffset('attn'), list: { key: 'layers_block_type', form: 'kinds' } },
  periodAndOffset('expert'),
  {
    keys: ['cross_attention_frequency'],
    kindOf: (setting, index) => {
      const period = number(setting('cross_attention_frequency'))
      return period === undefined ? undefined : index % period === 0
    },
  },
  {
    keys: ['scale_attn_by_inverse_layer_idx'],
    kindOf: (setting, index) => (setting('scale_attn_by_inverse_layer_idx') === true ? index : undefined),
  },
]

/** Where a period starts isn't known of a family that has no rule: layers are the same where their numbers modulo it are. */
const periods: Readonly<Record<string, string>> = {
  sliding_window_pattern: 'layer_types',
  _sliding_window_pattern: 'layer_types',
  global_attn_every_n_layers: 'layer_types',
  full_attention_interval: 'layer_types',
  no_rope_layer_interval: 'no_rope_layers',
  interleave_moe_layer_step: 'moe_layers',
  decoder_sparse_step: 'mlp_layer_types',
  layer_group_size: 'layer_types',
  cross_layer_interval: 'cross_layers',
}

export const layerRules: readonly LayerRule[] = [
  ...knownRules,
  ...Object.entries(periods).map(([key, list]): LayerRule => ({
    keys: [key],
    except: new Set(
      knownRules.flatMap(({ keys, families }) => (keys.includes(key) ? Object.keys(families ?? {}) : [])),
    ),
    kindOf: (setting, index) => {
      const period = number(setting(key))
      return period === undefined ? undefined : index % period
    },
    list: { key: list, form: key === 'interleave_moe_layer_step' ? 'numbers' : 'kinds' },
  })),
]
