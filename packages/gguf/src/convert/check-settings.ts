import { type ConfigValues, findSetting } from './config-values.ts'
import { ConversionError } from './errors.ts'
import type { GgufFamily } from './family.ts'
import type { ConversionNotice } from './notices.ts'

/**
 * Compares what config.json says with what llama.cpp takes for granted of the family, and lists what it will not heed.
 *
 * @throws ConversionError `gguf-setting` where llama.cpp would compute something else.
 */
export function checkSettings(family: GgufFamily, config: ConfigValues): ConversionNotice[] {
  const notices: ConversionNotice[] = []
  for (const [path, { values, refused }] of Object.entries(family.fixed ?? {})) {
    const found = config[path]
    if (found === undefined || values.some((value) => JSON.stringify(value) === JSON.stringify(found))) continue
    if (path === 'norm_topk_prob' && takesAllExperts(config)) continue
    if (refused === false) notices.push({ code: 'gguf-setting-ignored', path, found: JSON.stringify(found) })
    else throw settingError(path, found, values.map((value) => JSON.stringify(value)).join(' or '))
  }
  checkWindows(family, config)
  checkScale(family, config)
  return notices
}

/** Then their shares add up to 1, whether or not they are made to. */
const takesAllExperts = (config: ConfigValues): boolean =>
  config['num_experts_per_tok'] === (config['num_experts'] ?? config['num_local_experts'])

function checkWindows({ fullAttentionEvery: every }: GgufFamily, config: ConfigValues): void {
  if (every === undefined) return
  const types = config['layer_types']
  const pattern = config['sliding_window_pattern']
  if (!Array.isArray(types)) {
    if (pattern !== undefined && pattern !== every) throw settingError('sliding_window_pattern', pattern, String(every))
    return
  }
  const layer = types.findIndex((type, index) => (type === 'full_attention') !== ((index + 1) % every === 0))
  if (layer >= 0)
    throw settingError(
      `layer_types[${layer}]`,
      types[layer],
      `full attention in every layer whose number is a multiple of ${every}, counted from 1`,
    )
}

function checkScale({ wideScaleLayers }: GgufFamily, config: ConfigValues): void {
  const scalar = config['query_pre_attn_scalar'] ?? 256
  if (wideScaleLayers === undefined) return
  const isWide = config['num_hidden_layers'] === wideScaleLayers
  const computed = isWide
    ? findSetting(config, {
        quotient: [{ config: ['hidden_size'] }, { config: ['num_attention_heads'], otherwise: 8 }],
      })
    : findSetting(config, { config: ['head_dim'], otherwise: 256 })
  if (scalar !== computed) throw settingError('query_pre_attn_scalar', scalar, String(computed))
}

const settingError = (path: string, found: unknown, computed: string): ConversionError =>
  new ConversionError({ code: 'gguf-setting', path, found: JSON.stringify(found) ?? 'nothing', computed })
