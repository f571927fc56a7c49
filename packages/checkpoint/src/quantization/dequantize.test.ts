import { describe, expect, it } from 'vitest'
import type { TensorSource } from '@mk/source'
import type { Types } from '../open/__fixtures__/make-folder.ts'
import { dequantize } from './dequantize.ts'
import { scaleBlocks } from './scale-blocks.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const file = (types: Types) =>
  new Map(
    Object.entries(types).map(([name, [dtype, ...shape]]): [string, TensorSource] => [
      name,
      { kind: 'file', file: 'f', byteStart: 0, dtype, shape },
    ]),
  )
const run = (types: Types, config: Readonly<Record<string, unknown>> = {}) =>
  dequantize('folder', file(types), config, () => Promise.resolve(new Uint8Array(0)))
const method = (quant_method: string, more = {}) => ({ quantization_config: { quant_method, ...more } })

describe('dequantize', () => {
  it('lays block scales over float8 weights, as DeepSeek and Qwen write them', async () => {
    const { tensors, config, notes } = await run(
      { 'q.weight': ['F8_E4M3', 200, 300], 'q.weight_scale_inv': ['F32', 2, 3], 'norm.weight': ['BF16', 8] },
      { hidden_size: 8, ...method('fp8', { weight_block_size: [128, 128] }) },
    )
    expect([...tensors.keys()]).toEqual(['q.weight', 'norm.weight'])
    expect(tensors.get('q.weight')).toMatchObject({
      kind: 'dequantized',
      dtype: 'F32',
      shape: [200, 300],
      blockRows: 128,
      blockColumns: 128,
    })
    expect(config).toEqual({ hidden_size: 8 })
    expect(notes).toEqual(['folder: 1 float8 tensor is multiplied by its scales while reading'])
  })

  it.each([
    ['a scale per tensor', [], [4, 6]],
    ['a scale per tensor in a list', [1], [4, 6]],
    ['a scale per row', [4, 1], [1, 6]],
    ['a scale per row in a list', [4], [1, 6]],
    ['a scale per column', [1, 6], [4, 1]],
    ['a scale per group of columns', [4, 3], [1, 2]],
  ])('knows %s', async (_, scale, [blockRows, blockColumns]) => {
    const { tensors } = await run(
      { 'q.weight': ['F8_E4M3', 4, 6], 'q.weight_scale': ['BF16', ...scale] },
      method('compressed-tensors'),
    )
    expect(tensors.get('q.weight')).toMatchObject({ blockRows, blockColumns })
  })

  it('leaves out scales of activations and caches, with a note', async () => {
    const { tensors, notes } = await run(
      {
        'q.weight': ['F8_E4M3', 4, 6],
        'q.weight_scale': ['F32'],
        'q.input_scale': ['F32'],
        'attn.k_scale': ['F32'],
        'norm.scale': ['F32', 6],
      },
      method('modelopt'),
    )
    expect([...tensors.keys()]).toEqual(['q.weight', 'norm.scale'])
    expect(notes[1]).toBe("folder: 2 scales of activations are left out, such as 'q.input_scale'")
  })

  it('finds scales without a config, in the names of other programs too', async () => {
    const { tensors } = await run({
      'q.weight': ['F8_E4M3', 4, 6],
      'q.scale_weight': ['F32', 1],
      scaled_fp8: ['F8_E4M3', 0],
    })
    expect([...tensors.keys()]).toEqual(['q.weight'])
  })

  it('forgets the quantization of the text part of a config', async () => {
    expect(
      (await run({ 'q.weight': ['BF16', 2, 2] }, { text_config: { layers: 2, ...method('fp8') } })).config,
    ).toEqual({
      text_config: { layers: 2 },
    })
  })

  it('keeps plain float8 weights as they are', async () => {
    expect((await run({ 'q.weight': ['F8_E5M2', 4, 6] })).tensors.get('q.weight')).toMatchObject({
      kind: 'file',
      dtype: 'F8_E5M2',
    })
  })

  it('says where a config speaks of quantization that is not there', async () => {
    expect((await run({ 'q.weight': ['BF16', 2, 2] }, method('bitsandbytes'))).notes).toEqual([
      'folder: config.json speaks of quantization (bitsandbytes), but no tensor is quantized',
    ])
  })

  it('misses a scale that the config promises', async () => {
    await expect(run({ 'q.weight': ['F8_E4M3', 4, 6] }, method('fp8'))).rejects.toThrow(code('scale-missing'))
  })

  it.each([[[2, 2, 1]], [[5, 1]], [[3]]])('rejects a scale of shape %j', async (shape) => {
    await expect(
      run({ 'q.weight': ['F8_E4M3', 4, 6], 'q.weight_scale': ['F32', ...shape] }, method('fp8')),
    ).rejects.toThrow(code('scale-shape'))
  })

  it.each(['F32', 'BF16', 'F16', 'F64'] as const)('reads scales of %s', async (dtype) => {
    const { tensors } = await run({ 'q.weight': ['F8_E5M2', 4, 6], 'q.weight_scale': [dtype, 4, 1] }, method('fp8'))
    expect(tensors.get('q.weight')).toMatchObject({ kind: 'dequantized', blockRows: 1, blockColumns: 6 })
  })

  it.each(['F8_E4M3', 'I32', 'U8'] as const)('rejects scales of %s', async (dtype) => {
    await expect(
      run({ 'q.weight': ['F8_E4M3', 4, 6], 'q.weight_scale': [dtype, 4, 1] }, method('fp8')),
    ).rejects.toThrow(code('scale-shape'))
  })

  it.each([
    ['bitsandbytes', 'SCB weight_format absmax quant_map nested_absmax nested_quant_map quant_state'],
    ['bitsandbytes', 'weight.absmax weight.quant_map weight.quant_state weight.quant_state.bitsandbytes__nf4'],
    ['Marlin', 'marlin_qweight marlin_scales'],
    ['GPTQ or AWQ', 'qweight qzeros g_idx'],
    ['compressed-tensors (packed)', 'weight_packed'],
    ['MXFP4', 'gate_up_proj_blocks'],
    ['EXL2', 'q_weight q_scale q_scale_max q_groups q_invperm'],
    ['EXL3', 'trellis suh svh'],
    ['HQQ', 'W_q'],
    ['AQLM', 'codes codebooks'],
    ['VPTQ', 'centroids.weight res_centroids.weight'],
    ['EETQ', 'weight_scales'],
    ['quanto', 'weight._data weight._scale weight._shift'],
    ['SpQR', 'dense_weights in_perm'],
    ['QuIP#', 'Qidxs Qidxs_0 codebook_id'],
    ['torchao', 'weight_qdata weight:int_data weight.packed_weight'],
  ])('tells %s by the names %s', async (scheme, names) => {
    for (const name of names.split(' ').map((part) => `model.q.${part}`)) {
      const types: Types = { [name]: ['BF16', 4, 6] }
      await expect(run(types)).rejects.toThrow(
        expect.objectContaining({ issue: expect.objectContaining({ scheme, evidence: `tensor '${name}'` }) }),
      )
      // A method whose float8 weights are read here says nothing of others.
      for (const named of ['fp8', 'fbgemm_fp8', 'compressed-tensors', 'modelopt', 'quark', 'fp_quant'])
        await expect(run(types, method(named))).rejects.toThrow(
          expect.objectContaining({ issue: expect.objectContaining({ scheme }) }),
        )
      await expect(run(types, method('own'))).rejects.toThrow(
        expect.objectContaining({ issue: expect.objectContaining({ scheme: 'own' }) }),
      )
    }
  })

  it.each<[string, Types]>([
    ['bitsandbytes', { 'q.weight': ['U8', 12, 1], 'q.weight.absmax': ['F32', 1] }],
    ['bitsandbytes', { 'q.weight': ['I8', 4, 6], 'q.SCB': ['F32', 4] }],
    ['GPTQ', { 'q.qweight': ['I32', 4, 6], 'q.qzeros': ['I32', 1, 1], 'q.scales': ['F16', 1, 6] }],
    ['AWQ', { 'q.qweight': ['I32', 4, 6] }],
    ['MXFP4', { 'experts.gate_up_proj_blocks': ['U8', 2, 4, 6], 'experts.gate_up_proj_scales': ['U8', 2, 4] }],
    ['NVFP4', { 'q.weight': ['U8', 4, 6], 'q.weight_scale': ['F8_E4M3', 4, 1], 'q.weight_scale_2': ['F32'] }],
    ['compressed-tensors', { 'q.weight_packed': ['I32', 4, 6] }],
    ['EXL2', { 'q.q_weight': ['I32', 4, 6] }],
    ['HQQ', { 'q.W_q': ['U8', 4, 6] }],
    ['integers and scales', { 'q.weight': ['I8', 4, 6], 'q.weight_scale': ['F32', 4, 1] }],
  ])('refuses %s, naming a tensor', async (scheme, types) => {
    await expect(run(types)).rejects.toThrow(code('quantized'))
    await expect(run(types)).rejects.toThrow(scheme)
    await expect(run(types)).rejects.toThrow(/'(q|experts)\./)
  })

  it.each<[string, Types]>([
    ['MLX', { 'q.weight': ['U32', 4, 1], 'q.scales': ['F16', 4, 1], 'q.biases': ['F16', 4, 1] }],
    ['MLX', { 'q.weight': ['U32', 4, 1], 'q.scales': ['U8', 4, 1] }],
    ['bitsandbytes', { 'q.weight': ['U8', 12, 1], 'q.weight.quant_state.bitsandbytes__nf4': ['U8', 8] }],
    ['GPTQ', { 'q.qweight': ['I32', 4, 6], 'q.g_idx': ['I32', 4] }],
    ['integers', { 'model.layers.0.mlp.up_proj.weight': ['U8', 12, 1] }],
    ['integers', { 'model.embed_tokens.weight': ['I8', 4, 6] }],
    ['integers and scales', { 'q.weight': ['I8', 4, 6], 'q.scale': ['F32', 4, 1] }],
    ['torchao', { 'q.weight:qdata': ['I8', 4, 6], 'q.weight:scale': ['F32', 4, 1] }],
    ['scales of weights', { 'q.weight': ['BF16', 4, 6], 'q.weight_scale': ['F32', 4, 1] }],
    ['scales of weights', { 'q.weight': ['BF16', 4, 6], 'q.weight_zero_point': ['I8', 4, 1] }],
  ])('refuses %s without a word in the config', async (scheme, types) => {
    await expect(run(types)).rejects.toThrow(code('quantized'))
    await expect(run(types)).rejects.toThrow(scheme)
  })

  it('knows the key that MLX has for it, and drops it where no tensor is quantized', async () => {
    const quantization = { group_size: 64, bits: 4 }
    await expect(run({ 'x.weight': ['U32', 4, 1] }, { quantization })).rejects.toThrow('is quantized with MLX')
    await expect(run({ 'x.weight': ['U32', 4, 1] }, { quantization_config: quantization })).rejects.toThrow('with MLX')
    expect((await run({ 'x.weight': ['F16', 4, 1] }, { quantization, hidden_size: 8 })).config).toEqual({
      hidden_size: 8,
    })
    const other = { quantization: { codebooks: 8 } }
    expect(await run({ 'x.weight': ['F16', 4, 1] }, other)).toMatchObject({ config: other, notes: [] })
  })

  it('asks for the folder with config.json only where that could help', async () => {
    const types: Types = { 'q.qweight': ['I32', 4, 6] }
    await expect(run(types)).rejects.toThrow('expected the folder with its config.json, or the model')
    await expect(run(types, method('aqlm'))).rejects.toThrow("can't be merged; expected the model")
  })

  it('calls a refused scheme what the config calls it', async () => {
    await expect(run({ 'q.qweight': ['I32', 4, 6] }, method('aqlm'))).rejects.toThrow('folder is quantized with aqlm')
  })

  it('keeps integers that no scale belongs to', async () => {
    expect((await run({ position_ids: ['I64', 1, 8], 'mask.weight': ['U8', 2, 2] })).tensors.size).toBe(2)
  })
})

describe('scaleBlocks', () => {
  it('knows stacked matrices', () => {
    expect(scaleBlocks([2, 256, 300], [2, 2, 3], [128, 128])).toEqual({ blockRows: 128, blockColumns: 128 })
    expect(scaleBlocks([2, 4, 6], [2, 1, 1], undefined)).toEqual({ blockRows: 4, blockColumns: 6 })
    expect(scaleBlocks([2, 4, 6], [2, 4, 1], undefined)).toEqual({ blockRows: 1, blockColumns: 6 })
    expect(scaleBlocks([2, 200, 300], [2, 2, 3], [128, 128])).toBeUndefined()
    expect(scaleBlocks([2, 4, 6], [3, 1, 1], undefined)).toBeUndefined()
  })
})
