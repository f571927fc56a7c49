import type { ModelConfig } from '@mk/architecture'
import type { TensorSource } from '@mk/source'
import type { Sizes } from '../outputs/output.ts'
import { settingOf } from '../outputs/settings.ts'
import { readRotary, type Rotary } from './rotary.ts'

/** A decoder of the family of Llama, as far as reading a text with it goes. */
export interface ForwardModel {
  readonly sizes: Sizes
  readonly rotary: Rotary
  /** Added to the mean square in norms. */
  readonly epsilon: number
  /** How many tokens back each layer sees; Infinity: all. */
  readonly windows: readonly number[]
  readonly tensors: ReadonlyMap<string, TensorSource>
}

const families: readonly string[] = ['llama', 'mistral', 'qwen2', 'qwen3']

/**
 * Describes a model for the forward pass.
 * @returns why there is none for it, in words, where that is so
 */
export function describeForward(
  config: ModelConfig,
  sizes: Sizes,
  tensors: ReadonlyMap<string, TensorSource>,
): ForwardModel | string {
  const family = String(config['model_type'])
  if (!families.includes(family)) return `models of the family ${family} are not computed here`
  const activation = config['hidden_act'] ?? 'silu'
  if (activation !== 'silu' && activation !== 'swish')
    return `hidden_act ${JSON.stringify(activation)} is not computed here`
  const rotary = readRotary(config, sizes.headSize)
  if (typeof rotary === 'string') return `${rotary} are not computed here`
  const epsilon = typeof config['rms_norm_eps'] === 'number' ? config['rms_norm_eps'] : 1e-6
  return { sizes, rotary, epsilon, windows: windowsOf(config, family, sizes.layers), tensors }
}

function windowsOf(config: ModelConfig, family: string, layers: number): readonly number[] {
  const window = Number(settingOf({ base: config, family }, 'sliding_window') ?? Infinity)
  const types = config['layer_types']
  const slides = (layer: number): boolean => {
    if (family === 'llama') return false
    if (family === 'mistral') return true
    if (config['use_sliding_window'] !== true) return false
    if (Array.isArray(types)) return types[layer] === 'sliding_attention'
    return layer >= Number(config['max_window_layers'] ?? 28)
  }
  return Array.from({ length: layers }, (_, layer) => (slides(layer) ? window : Infinity))
}
