import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import { type RawTensor, writeQuantizedModel } from './__fixtures__/quantized-model.ts'

const root = mkdtempSync(join(tmpdir(), 'mk-hostile-quantized-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

type Change = (tensors: Map<string, RawTensor>, settings: Record<string, unknown>) => void

/** The code of the error that a changed fixture gives, and its message. */
async function failureOf(name: string, change: Change): Promise<string> {
  const folder = join(root, String(count++))
  await writeQuantizedModel(name, folder, (tensors, config) =>
    change(tensors, (config['quantization_config'] ?? config['quantization']) as Record<string, unknown>),
  )
  const failure = await openCheckpoint({ path: folder, adapters: [] }, { roots: [root] }).then(
    () => 'nothing was thrown',
    (error: Error & { code?: string }) => `${error.code}: ${error.message}`,
  )
  return failure.replaceAll(folder, 'folder')
}

const elementBytes = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U32: 4, I8: 1, U8: 1, F8_E4M3: 1 } as const
const sized = (dtype: keyof typeof elementBytes, ...shape: number[]): RawTensor => ({
  dtype,
  shape,
  data: new Uint8Array(shape.reduce((product, size) => product * size, elementBytes[dtype])),
})
const put =
  (name: string, tensor: RawTensor): Change =>
  (tensors) =>
    void tensors.set(name, tensor)
const lose =
  (name: string): Change =>
  (tensors) =>
    void tensors.delete(name)
const set =
  (key: string, value: unknown): Change =>
  (_, settings) =>
    void (settings[key] = value)
const state = (text: string): RawTensor => {
  const data = new TextEncoder().encode(text)
  return { dtype: 'U8', shape: [data.length], data }
}
const stateName = 'a.weight.quant_state.bitsandbytes__nf4'
const nestedState = '{"blocksize": 32, "shape": [66, 128], "nested_blocksize": 256}'

describe('quantized weights that do not fit together', () => {
  it.each<[string, string, Change, string]>([
    [
      'bitsandbytes-nf4',
      'magnitudes are gone',
      lose('a.weight.absmax'),
      "quantized-part-missing: .* no tensor 'a.weight.absmax'",
    ],
    [
      'bitsandbytes-nf4',
      'magnitudes are too few',
      put('a.weight.absmax', sized('F32', 3)),
      'quantized-part: .*absmax.* expected F32 \\[4\\]',
    ],
    ['bitsandbytes-nf4', 'there is no state', lose(stateName), 'quantized-part-missing: .*quant_state'],
    [
      'bitsandbytes-nf4',
      'the state is no JSON',
      put(stateName, state('no')),
      'quantized-part: .*JSON that tells blocksize and shape',
    ],
    [
      'bitsandbytes-nf4',
      'blocks have no elements',
      put(stateName, state('{"blocksize": 0, "shape": [6, 40]}')),
      'quantized-part: .*JSON that tells',
    ],
    [
      'bitsandbytes-nf4',
      'the shape is another',
      put(stateName, state('{"blocksize": 64, "shape": [6, 4000]}')),
      "quantized-part: .*'a.weight' is U8 .*12000 bytes",
    ],
    [
      'bitsandbytes-nf4',
      'the state is long',
      put(stateName, sized('U8', 70_000)),
      'quantized-part: .*expected a few bytes',
    ],
    [
      'bitsandbytes-nf4',
      'the table is short',
      put('a.weight.quant_map', sized('F32', 8)),
      'quantized-part: .*F32 \\[16\\]',
    ],
    ['bitsandbytes-nf4', 'the codes are gone', lose('a.weight'), "quantized-part-missing: .*'a.weight'"],
    [
      'bitsandbytes-nf4-double',
      'an offset is not told',
      put(stateName, state(nestedState)),
      'quantized-part: .*nested_offset',
    ],
    [
      'bitsandbytes-nf4-double',
      'nested magnitudes are gone',
      lose('a.weight.nested_absmax'),
      'quantized-part-missing: .*nested_absmax',
    ],
    ['bitsandbytes-int8', 'scales are too few', put('a.SCB', sized('F32', 6)), 'quantized-part: .*F32 \\[7\\]'],
    [
      'bitsandbytes-int8',
      'rows are interleaved',
      put('a.weight_format', { ...sized('U8', 1), data: Uint8Array.of(2) }),
      'quantized-part: .*weight_format',
    ],
    [
      'gptq-4-act-order',
      'there are no groups',
      put('a.scales', sized('F16', 0, 32)),
      'quantized-part: .*scales.*expected F16 or BF16 or F32 \\[…, 32\\]',
    ],
    [
      'gptq-4-act-order',
      'there are more groups than inputs',
      put('a.scales', sized('F16', 99, 32)),
      'quantized-part: .*scales',
    ],
    [
      'gptq-4-act-order',
      'zeros are too few',
      put('a.qzeros', sized('I32', 2, 3)),
      'quantized-part: .*qzeros.*\\[2, 4\\]',
    ],
    ['gptq-4-act-order', 'the bits are none', put('a.g_idx', sized('I32', 63)), 'quantized-part: .*2, 3, 4 or 8 bits'],
    ['gptq-4-act-order', 'codes are gone', lose('a.qweight'), "quantized-part-missing: .*'a.qweight'"],
    [
      'gptq-4-act-order',
      'the weights are there, too',
      put('a.weight', sized('F16', 32, 64)),
      "quantized-part: .*none of that name, since 'a.g_idx'",
    ],
    [
      'gptq-2',
      'nothing tells the inputs',
      (tensors, settings) => {
        tensors.delete('a.g_idx')
        settings['bits'] = 0
      },
      'quantized-setting: .*bits is 0; expected 2, 3, 4 or 8',
    ],
    [
      'gptq-2',
      'the format is another',
      set('checkpoint_format', 'marlin'),
      'quantized: .*gptq \\(checkpoint_format "marlin"\\)',
    ],
    ['awq', 'scales are gone', lose('a.scales'), "quantized-part-missing: .*'a.scales'"],
    ['awq', 'groups have no inputs', set('group_size', 0), 'quantized-setting: .*group_size is 0'],
    [
      'awq',
      'groups have another size',
      set('group_size', 128),
      'quantized-part: .*a row for each 128 of the 64 inputs',
    ],
    [
      'awq',
      'the size of groups is not told',
      set('group_size', undefined),
      'quantized-setting: .*group_size.*not said',
    ],
    ['awq', 'it was made for another kernel', set('version', 'gemv'), 'quantized: .*awq \\(version "gemv"\\)'],
    [
      'compressed-tensors-pack-4',
      'the shape is gone',
      lose('a.weight_shape'),
      'quantized-part-missing: .*weight_shape',
    ],
    [
      'compressed-tensors-pack-4',
      'the shape is another',
      (tensors) => void tensors.get('a.weight_shape')!.data.fill(1),
      'quantized-part: .*weight_shape',
    ],
    [
      'compressed-tensors-pack-4',
      'words are stacked where the shape has no stack',
      (tensors) => {
        const [rows, words] = tensors.get('a.weight_packed')!.shape as [number, number]
        tensors.set('a.weight_packed', sized('I32', rows, 2, words))
      },
      'quantized-part: .*words for the shape',
    ],
    [
      'compressed-tensors-pack-4',
      'scales do not fit',
      put('a.weight_scale', sized('BF16', 10, 3)),
      'quantized-part: .*weight_scale',
    ],
    ['compressed-tensors-pack-4', 'no bits are told', set('config_groups', {}), 'quantized-part: .*weight_packed'],
    [
      'compressed-tensors-nvfp4',
      'scales are too few',
      put('a.weight_scale', sized('F8_E4M3', 6, 3)),
      'quantized-part: .*F8_E4M3 \\[6, 4\\]',
    ],
    [
      'compressed-tensors-int-asymmetric',
      'zeros are too few',
      put('a.weight_zero_point', sized('I8', 9, 1)),
      'quantized-part: .*I8 \\[9, 3\\]',
    ],
    [
      'modelopt-nvfp4',
      'there is a scale for each row',
      put('a.weight_scale_2', sized('F32', 6)),
      'quantized-part: .*one number for each matrix',
    ],
    [
      'mxfp4',
      'exponents are gone',
      lose('model.layers.0.mlp.experts.gate_up_proj_scales'),
      'quantized-part-missing: .*gate_up_proj_scales',
    ],
    [
      'mxfp4',
      'blocks are empty',
      put('model.layers.0.mlp.experts.gate_up_proj_blocks', sized('U8', 2, 6, 0, 16)),
      'quantized-part: .*\\[…, …, …, 16\\]',
    ],
    ['mlx', 'biases are gone', lose('model.layers.4.biases'), "quantized-part-missing: .*'model.layers.4.biases'"],
    ['mlx', 'groups have no columns', set('group_size', 0), 'quantized-setting: .*group_size is 0'],
    [
      'mlx',
      'a module has other settings',
      set('model.layers.2', { group_size: 64, bits: 2 }),
      'quantized-part: .*2 bits a column, and 64 columns for each of the 4 scales of a row',
    ],
    ['mlx', 'the mode is unknown', set('mode', 'new'), 'quantized-setting: .*mode is "new"'],
    ['mlx', 'codes are bytes', put('model.layers.4.weight', sized('U8', 5, 64)), 'quantized-part: .*expected U32'],
  ])('%s: %s', async (name, _, change, expected) => {
    expect(await failureOf(name, change)).toMatch(new RegExp(`^${expected}`))
  })

  it('refuses codes without a word in the config, whatever the layout', async () => {
    for (const name of [
      'bitsandbytes-nf4',
      'gptq-4-v2',
      'awq',
      'compressed-tensors-pack-4',
      'modelopt-nvfp4',
      'mxfp4',
      'mlx',
    ]) {
      const folder = join(root, String(count++))
      await writeQuantizedModel(name, folder, (_, config) => {
        delete config['quantization_config']
        delete config['quantization']
      })
      const opening = openCheckpoint({ path: folder, adapters: [] }, { roots: [root] })
      await expect(opening).rejects.toThrow(expect.objectContaining({ code: 'quantized' }))
    }
  })

  it('refuses weights of Conv1D, which may lie either way', async () => {
    const folder = join(root, String(count++))
    await writeQuantizedModel('gptq-4-v2', folder, (_, config) => void (config['model_type'] = 'gpt2'))
    await expect(openCheckpoint({ path: folder, adapters: [] }, { roots: [root] })).rejects.toThrow('stored transposed')
  })
})
