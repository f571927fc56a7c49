import { describe, expect, it } from 'vitest'
import { compareDecisiveSettings, describeCheckpoint, type ModelConfig } from './index.ts'

const tensors = [0, 1].flatMap((n) =>
  ['q', 'k', 'v'].map((name) => ({ name: `model.layers.${n}.${name}.weight`, shape: [2, 2] })),
)
const modelOf = (config: ModelConfig) => {
  const whole = { num_hidden_layers: 2, model_type: 'llama', ...config }
  return { config: whole, module: describeCheckpoint(tensors, whole).modules[0]! }
}
const compare = (a: ModelConfig, b: ModelConfig, areLayersMoved = false) =>
  compareDecisiveSettings(modelOf(a), modelOf(b), { areLayersMoved }).map(({ key, value, other }) => [
    key,
    value,
    other,
  ])

describe('compareDecisiveSettings', () => {
  it.each([
    ['rope_theta', 10_000, 1e6],
    ['num_attention_heads', 2, 4],
    ['num_key_value_heads', 1, 2],
    ['head_dim', 2, 4],
    ['hidden_act', 'silu', 'gelu'],
    ['rms_norm_eps', 1e-5, 1e-6],
    ['sliding_window', null, 4096],
    ['do_layer_norm_before', true, false],
    ['num_experts_per_tok', 1, 2],
  ])('finds %s', (key, a, b) => {
    expect(compare({ [key]: a }, { [key]: b })).toEqual([[key, a, b]])
    expect(compare({ [key]: a }, { [key]: a })).toEqual([])
  })

  it('knows what silence means, where it does', () => {
    expect(compare({}, { rope_theta: 10_000, rope_scaling: null, use_sliding_window: false })).toEqual([])
    expect(compare({}, { rope_theta: 5e5 })).toEqual([['rope_theta', 10_000, 5e5]])
    expect(compare({}, { rms_norm_eps: 1e-6 })).toEqual([])
  })

  it('reads rotary settings in the spellings of transformers 4 and 5', () => {
    const scaled = { factor: 8, low_freq_factor: 1 }
    const five = { rope_parameters: { rope_theta: 5e5, rope_type: 'llama3', ...scaled } }
    expect(compare(five, { rope_theta: 5e5, rope_scaling: { type: 'llama3', ...scaled } })).toEqual([])
    expect(compare(five, { rope_theta: 5e5, rope_scaling: null })).toEqual([
      ['rope_scaling', { rope_type: 'llama3', ...scaled }, null],
    ])
    expect(compare({ rope_parameters: { rope_theta: 10_000, rope_type: 'default' } }, {})).toEqual([])
  })

  it('leaves lists by layer to those who move layers', () => {
    const [a, b] = [{ layer_types: ['full_attention', 'full_attention'] }, { layer_types: ['full_attention', 'mamba'] }]
    expect(compare(a, b)).toHaveLength(1)
    expect(compare(a, b, true)).toEqual([])
  })

  it('looks into the part that describes the module', () => {
    const inner = (rope_theta: number) => ({ num_hidden_layers: 2, text_config: { num_hidden_layers: 2, rope_theta } })
    const [a, b] = [inner(10_000), inner(1e6)].map(({ text_config }) => {
      const config = { text_config }
      return { config, module: describeCheckpoint(tensors, config).modules[0]! }
    })
    expect(compareDecisiveSettings(a!, b!)).toEqual([{ key: 'rope_theta', value: 10_000, other: 1e6 }])
  })
})
