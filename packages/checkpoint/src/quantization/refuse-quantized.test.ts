import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import { describe, expect, it } from 'vitest'
import { findQuantization, type ModelConfig, type Quantization, withoutQuantization } from './config-quantization.ts'
import { float8Methods, isCode, leftoverName, scaleName, scaleNames } from './quantization-schemes.ts'
import { refuseQuantized } from './refuse-quantized.ts'

const source = (dtype: Dtype, ...shape: number[]): TensorSource => ({
  kind: 'file',
  file: 'f',
  byteStart: 0,
  dtype,
  shape,
})

/** What is said of a model with these tensors, besides plain ones. */
function schemeOf(tensors: Readonly<Record<string, TensorSource>>, quantization?: Quantization) {
  try {
    refuseQuantized('m', new Map(Object.entries({ 'norm.weight': source('F32', 4), ...tensors })), quantization)
    return undefined
  } catch (error) {
    const { issue } = error as {
      issue: { code: string; folder: string; scheme: string; evidence: string; isUnsaid: boolean }
    }
    const isAsExpected =
      issue.code === 'quantized' && issue.folder === 'm' && issue.isUnsaid === (quantization === undefined)
    return isAsExpected ? [issue.scheme, issue.evidence] : [JSON.stringify(issue)]
  }
}
const method = (name: string, settings: ModelConfig = {}): Quantization => ({
  method: name,
  blockSize: undefined,
  settings,
})

describe('names that no plain checkpoint has show', () => {
  it.each([
    ['bitsandbytes', 'q.SCB q.weight_format q.weight.absmax q.quant_map q.weight.quant_state.bitsandbytes__nf4'],
    ['Marlin', 'q.marlin_qweight'],
    ['GPTQ or AWQ', 'q.qweight q.qzeros q.g_idx'],
    ['compressed-tensors (packed)', 'q.weight_packed'],
    ['NVFP4', 'q.weight_scale_2'],
    ['MXFP4', 'q_blocks'],
    ['EXL2', 'q.q_weight q.q_scale q.q_scale_max q.q_groups q.q_invperm'],
    ['EXL3', 'q.trellis q.suh q.svh'],
    ['HQQ', 'q.W_q'],
    ['AQLM', 'q.codes q.codebooks'],
    ['VPTQ', 'q.centroids.weight q.res_centroids.weight'],
    ['EETQ', 'q.weight_scales'],
    ['quanto', 'q.weight._data q.weight._scale q.weight._shift'],
    ['SpQR', 'q.dense_weights q.in_perm'],
    ['QuIP#', 'q.Qidxs q.Qidxs_0 q.codebook_id'],
    ['torchao', 'q.weight:qdata q.weight_int_data q.tensor_impl q.layout_tensor.x'],
  ])('%s', (scheme, names) => {
    for (const name of names.split(' ')) {
      expect(schemeOf({ [name]: source('U8', 4) })).toEqual([scheme, `tensor '${name}'`])
      for (const known of float8Methods) expect(schemeOf({ [name]: source('U8', 4) }, method(known))![0]).toBe(scheme)
      expect(schemeOf({ [name]: source('U8', 4) }, method('own'))![0]).toBe('own')
    }
  })
})

describe('integers in the place of weights show', () => {
  const q = 'layers.0.q_proj.weight'
  it.each<[string, Readonly<Record<string, TensorSource>>]>([
    ['MLX', { [q]: source('U32', 4, 4), 'layers.0.q_proj.scales': source('F16', 4) }],
    ['MLX', { [q]: source('U32', 4, 4), 'layers.0.q_proj.biases': source('F16', 4) }],
    ['integers and scales', { [q]: source('I8', 4, 4), 'layers.0.q_proj.scale': source('F16', 4) }],
    ['integers and scales', { [q]: source('I8', 4, 4), 'layers.0.q_proj.zeros': source('F16', 4) }],
    ['integers and scales', { [q]: source('I8', 4, 4), 'layers.0.q_proj.zero_point': source('F16', 4) }],
    ['integers and scales', { [q]: source('I8', 4, 4), 'layers.0.q_proj.weight_zero_point': source('F16', 4) }],
    ['integers and scales', { [q]: source('I8', 4, 4), 'layers.0.q_proj.weight_scale': source('F16', 4) }],
    [
      'integers and scales',
      { 'x.experts.gate_proj': source('U8', 4, 4), 'x.experts.gate_proj_scale': source('F16', 4) },
    ],
    ['integers', { [q]: source('I16', 4, 4) }],
  ])('%s: %j', (scheme, tensors) => {
    const [name, { dtype }] = Object.entries(tensors)[0]!
    // Those of MLX have no number of bits that they could be read by.
    const isUnsigned = dtype === 'U32'
    const holds = `tensor '${name}' holds ${isUnsigned ? 'U32' : dtype}`
    expect(schemeOf(tensors)).toEqual([scheme, holds])
    expect(schemeOf(tensors, method('own'))).toEqual(['own', holds])
  })

  it.each<[string, Readonly<Record<string, TensorSource>>]>([
    ['of one dimension', { [q]: source('I8', 4) }],
    ['floats', { [q]: source('F16', 4, 4), 'layers.0.q_proj.scales': source('F16', 4) }],
    ['of no known name', { 'position_ids.weight': source('I8', 4, 4) }],
    ['that are no weights', { 'layers.0.q_proj.ids': source('I8', 4, 4) }],
    ['of 64 bits', { [q]: source('I64', 4, 4) }],
  ])('nothing where they are %s', (_, tensors) => {
    expect(schemeOf(tensors)).toBeUndefined()
  })

  it('nothing of a name that is not known where a config says that they are quantized', () => {
    expect(schemeOf({ 'position_ids.weight': source('I8', 4, 4) }, method('own'))![0]).toBe('own')
  })
})

it.each(['I8', 'U8', 'I16', 'U16', 'I32', 'U32'] as const)('%s may be codes', (dtype) => {
  expect(isCode(dtype)).toBe(true)
})

it.each(['I64', 'BOOL', 'F16', 'F8_E4M3'] as const)('%s are none', (dtype) => {
  expect(isCode(dtype)).toBe(false)
})

it('scales have the names of weights, with what they are', () => {
  expect(scaleNames('a.weight')).toEqual(['a.weight_scale_inv', 'a.weight_scale', 'a.scale_weight', 'a.qscale_weight'])
  expect(scaleNames('a.down_proj')).toEqual(['a.down_proj_scale_inv', 'a.down_proj_scale'])
  for (const name of ['a.weight_scale', 'a.weight_scale_inv', 'weight_zero_point', 'a.scale_weight'])
    expect([name, scaleName.test(name), leftoverName.test(name)]).toEqual([name, true, false])
  for (const name of ['a.input_scale', 'k_scale', 'a.v_scale', 'a.scaled_fp8', 'a.kv_scale', 'a.prob_scale'])
    expect([name, scaleName.test(name), leftoverName.test(name)]).toEqual([name, false, true])
})

describe('what config.json says of quantization', () => {
  it.each<[ModelConfig, string | undefined]>([
    [{ quantization_config: { quant_method: 'gptq' } }, 'gptq'],
    [{ compression_config: { quant_method: 'compressed-tensors' } }, 'compressed-tensors'],
    [{ quantization: { quant_method: 'x' } }, 'x'],
    [{ quantization: { group_size: 32, bits: 4 } }, 'MLX'],
    [{ quantization: { mode: 'mxfp4' } }, 'an unnamed method'],
    [{ quantization: { bits: 4 } }, 'an unnamed method'],
    [{ quantization: { group_size: 4 } }, 'an unnamed method'],
    [{ quantization: { audio: 1 } }, undefined],
    [{ quantization_config: { load_in_4bit: true } }, 'bitsandbytes'],
    [{ quantization_config: { load_in_8bit: true } }, 'bitsandbytes'],
    [{ quantization_config: { load_in_8bit: false } }, 'an unnamed method'],
    [{ quantization_config: { quant_algo: 'FP8' } }, 'FP8'],
    [{ quantization_config: null }, undefined],
    [{ quantization_config: [] }, undefined],
    [{ text_config: { quantization_config: { quant_method: 'awq' } } }, 'awq'],
    [{ llm_config: { quantization_config: { quant_method: 'awq' } } }, 'awq'],
    [{ language_config: { quantization_config: { quant_method: 'awq' } } }, 'awq'],
    [{ thinker_config: { quantization_config: { quant_method: 'awq' } } }, 'awq'],
    [{ vision_config: { quantization_config: { quant_method: 'awq' } } }, undefined],
    [{ text_config: { quantization_config: { quant_method: 'b' } }, quantization_config: { quant_method: 'a' } }, 'a'],
  ])('%j', (config, name) => {
    expect(findQuantization(config)?.method).toBe(name)
    const rest = withoutQuantization({ ...config, hidden_size: 8 })
    expect(rest).toMatchObject({ hidden_size: 8 })
    expect(findQuantization(rest)).toBeUndefined()
    const isKept = name === undefined && config['quantization_config'] === undefined
    expect(isKept ? rest : {}).toEqual(isKept ? { ...config, hidden_size: 8 } : {})
  })

  it.each([
    [
      [128, 64],
      [128, 64],
    ],
    [[128], undefined],
    [[0, 1], undefined],
    [[1, 2, 3], undefined],
    [[1, 1.5], undefined],
    ['128', undefined],
  ])('blocks of %j are %j', (weight_block_size, blockSize) => {
    const config = { quantization_config: { quant_method: 'fp8', weight_block_size } }
    expect(findQuantization(config)).toEqual({ method: 'fp8', blockSize, settings: config.quantization_config })
  })
})
