import type { GgufValue } from '../metadata.ts'
import type { GgufTensorPlan } from '../tensor-plan.ts'
import { checkedNumber, type ConfigValues, isObject, needSetting } from './config-values.ts'
import { ConversionError } from './errors.ts'
import type { FamilyRope, RopeScaling } from './family.ts'

/** What a config says of its rotary embedding, in keys without the architecture, and the factors it has per dimension. */
export interface RopeSettings {
  readonly metadata: readonly (readonly [string, GgufValue])[]
  readonly tensors: readonly GgufTensorPlan[]
}

const float32 = (value: number): GgufValue => ({ type: 'float32', value })
const uint32 = (value: number): GgufValue => ({ type: 'uint32', value })
const string = (value: string): GgufValue => ({ type: 'string', value })

/** Reads `rope_parameters` (transformers 5), or `rope_scaling` and `rope_theta` beside it. @throws ConversionError `gguf-setting`, `gguf-config`. */
export function readRope(rope: FamilyRope, config: ConfigValues, headDim: number): RopeSettings {
  const { parameters, theta, windowTheta } = ropeParameters(rope, config)
  if (!rope.writesTheta && theta !== rope.theta)
    throw new ConversionError({
      code: 'gguf-setting',
      path: 'rope_theta',
      found: String(theta),
      computed: String(rope.theta),
    })
  const kind = scalingKind(rope, parameters)
  const metadata: (readonly [string, GgufValue])[] = []
  const number = (key: string): number => checkedNumber(`rope_scaling.${key}`, parameters[key])
  if (kind === 'linear' || kind === 'yarn') {
    metadata.push(['rope.scaling.type', string(kind)], ['rope.scaling.factor', float32(number('factor'))])
  }
  if (kind === 'yarn') {
    const original = parameters['original_max_position_embeddings'] ?? config['max_position_embeddings']
    metadata.push([
      'rope.scaling.original_context_length',
      uint32(checkedNumber('rope_scaling.original_max_position_embeddings', original)),
    ])
    for (const [from, key] of yarnKeys)
      if (typeof parameters[from] === 'number') metadata.push([key, float32(number(from))])
  }
  if (kind === 'longrope') metadata.push(['rope.scaling.attn_factor', float32(attentionFactor(config))])
  if (rope.writesTheta) metadata.push(['rope.freq_base', float32(theta)])
  if (windowTheta !== undefined) metadata.push(['rope.freq_base_swa', float32(windowTheta)])
  return { metadata, tensors: factorTensors(kind, parameters, theta, headDim) }
}

const yarnKeys = [
  ['extrapolation_factor', 'rope.scaling.yarn_ext_factor'],
  ['attention_factor', 'rope.scaling.yarn_attn_factor'],
  ['beta_fast', 'rope.scaling.yarn_beta_fast'],
  ['beta_slow', 'rope.scaling.yarn_beta_slow'],
] as const

function ropeParameters(
  rope: FamilyRope,
  config: ConfigValues,
): { parameters: ConfigValues; theta: number; windowTheta: number | undefined } {
  const given = config['rope_parameters'] ?? config['rope_scaling']
  const all = isObject(given) ? given : {}
  const parameters = isObject(all['full_attention']) ? all['full_attention'] : all
  const windowed = isObject(all['sliding_attention']) ? all['sliding_attention'] : {}
  const theta = checkedNumber('rope_theta', parameters['rope_theta'] ?? config['rope_theta'] ?? rope.theta)
  if (rope.windowTheta === undefined) return { parameters, theta, windowTheta: undefined }
  const windowTheta = windowed['rope_theta'] ?? config['rope_local_base_freq'] ?? rope.windowTheta
  return { parameters, theta, windowTheta: checkedNumber('rope_local_base_freq', windowTheta) }
}

function scalingKind(rope: FamilyRope, parameters: ConfigValues): RopeScaling | undefined {
  const named = parameters['rope_type'] ?? parameters['type'] ?? 'default'
  if (named === 'default') return undefined
  const kind = rope.scalings.find((scaling) => scaling === (named === 'su' ? 'longrope' : named))
  if (kind !== undefined && parameters['mrope_section'] === undefined) return kind
  throw new ConversionError({
    code: 'gguf-setting',
    path: 'rope_scaling',
    found: JSON.stringify(parameters),
    computed: ['none', ...rope.scalings].join(', '),
  })
}

/** The factors by which long RoPE (2402.13753) scales attention, as transformers computes them. */
function attentionFactor(config: ConfigValues): number {
  const key = 'original_max_position_embeddings'
  const original = needSetting(config, { config: [key] }, key)
  const scale = needSetting(config, { config: ['max_position_embeddings'] }, 'max_position_embeddings') / original
  return scale > 1 ? Math.sqrt(1 + Math.log(scale) / Math.log(original)) : 1
}

function factorTensors(
  kind: RopeScaling | undefined,
  parameters: ConfigValues,
  theta: number,
  headDim: number,
): GgufTensorPlan[] {
  const tensor = (name: string, values: readonly number[]): GgufTensorPlan => ({
    name,
    shape: [values.length],
    type: 'F32',
    content: { kind: 'values', values },
  })
  switch (kind) {
    case 'llama3':
      return [tensor('rope_freqs.weight', llama3Factors(parameters, theta, headDim))]
    case 'longrope':
      return (['long', 'short'] as const).map((length) =>
        tensor(`rope_factors_${length}.weight`, numbersOf(parameters, `${length}_factor`, headDim / 2)),
      )
    case 'linear':
    case 'yarn':
    case undefined:
      return []
    default:
      return kind satisfies never
  }
}

function numbersOf(parameters: ConfigValues, key: string, count: number): number[] {
  const list = parameters[key]
  if (Array.isArray(list) && list.length === count)
    return list.map((value) => checkedNumber(`rope_scaling.${key}`, value))
  throw new ConversionError({
    code: 'gguf-config',
    path: `rope_scaling.${key}`,
    expected: `${count} numbers`,
    found: JSON.stringify(list) ?? 'nothing',
  })
}

/**
 * By what Llama 3.1 divides the frequency of each pair of dimensions: nothing for short waves, `factor` for long ones, and
 * something between where they are neither. Each step is rounded to float32, as in torch, which divides by a tensor as a
 * multiplication by its reciprocal.
 */
function llama3Factors(parameters: ConfigValues, theta: number, headDim: number): number[] {
  const setting = (key: string, otherwise: number): number =>
    parameters[key] === undefined ? otherwise : checkedNumber(`rope_scaling.${key}`, parameters[key])
  const factor = setting('factor', 8)
  const low = setting('low_freq_factor', 1)
  const high = setting('high_freq_factor', 4)
  const original = setting('original_max_position_embeddings', 8192)
  const { fround } = Math
  const over = (value: number, by: number): number => fround(fround(1 / by) * fround(value))
  return Array.from({ length: headDim / 2 }, (_, pair) => {
    const frequency = over(1, fround(theta ** fround((2 * pair) / headDim)))
    const wave = over(2 * Math.PI, frequency)
    if (wave < original / high) return 1
    if (wave > original / low) return factor
    const smooth = fround(fround(over(original, wave) - low) / fround(high - low))
    return over(1, fround(fround(fround(1 - smooth) / factor) + smooth))
  })
}
