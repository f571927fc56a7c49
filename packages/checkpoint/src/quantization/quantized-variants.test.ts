import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSourceReader } from '@mk/source/node'
import { afterAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../node/open-checkpoint.ts'
import { type RawTensor, writeQuantizedModel } from './__fixtures__/quantized-model.ts'

const root = mkdtempSync(join(tmpdir(), 'mk-quantized-variants-'))
afterAll(() => rmSync(root, { recursive: true }))
let count = 0

/** Changes a fixture so that it means the same, and compares its weights with those expected. */
async function expectSameWeights(
  name: string,
  change: (tensors: Map<string, RawTensor>, settings: Record<string, unknown>) => void,
  rename: (tensor: string) => string = (tensor) => tensor,
): Promise<void> {
  const folder = join(root, String(count++))
  const { expected } = await writeQuantizedModel(name, folder, (tensors, config) =>
    change(tensors, (config['quantization_config'] ?? config['quantization']) as Record<string, unknown>),
  )
  const { tensors } = await openCheckpoint({ path: folder, adapters: [] }, { roots: [root] })
  const reader = createSourceReader()
  for (const [tensor, { values }] of expected) {
    const bytes = new Uint8Array(values.byteLength)
    reader.read(tensors.get(rename(tensor))!, 0, values.length, bytes)
    expect(new Uint32Array(bytes.buffer)).toEqual(values)
  }
  reader.close()
}

const retyped = (tensors: Map<string, RawTensor>, name: string, dtype: RawTensor['dtype'], shape: readonly number[]) =>
  tensors.set(name, { dtype, shape, data: tensors.get(name)!.data })

describe('weights that programs write in other ways', () => {
  it('may be bytes of another dtype (bitsandbytes, bnb_4bit_quant_storage)', () =>
    expectSameWeights('bitsandbytes-nf4', (tensors) => void retyped(tensors, 'a.weight', 'BF16', [60, 1])))

  it('may have an odd number of elements, whose last byte holds one of them (bitsandbytes)', async () => {
    const folder = join(root, String(count++))
    const { expected } = await writeQuantizedModel('bitsandbytes-nf4', folder, (tensors) => {
      const name = 'a.weight.quant_state.bitsandbytes__nf4'
      const state = JSON.parse(new TextDecoder().decode(tensors.get(name)!.data)) as { shape: number[] }
      state.shape = [state.shape[0]! * state.shape[1]! - 1]
      const data = new TextEncoder().encode(JSON.stringify(state))
      tensors.set(name, { dtype: 'U8', shape: [data.length], data })
    })
    const { tensors } = await openCheckpoint({ path: folder, adapters: [] }, { roots: [root] })
    const wanted = expected.get('a.weight')!.values.slice(0, -1)
    expect(tensors.get('a.weight')!.shape).toEqual([wanted.length])
    const bytes = new Uint8Array(wanted.byteLength)
    const reader = createSourceReader()
    reader.read(tensors.get('a.weight')!, 0, wanted.length, bytes)
    expect(new Uint32Array(bytes.buffer)).toEqual(wanted)
    reader.close()
  })

  it('may lack the list of groups (GPTQ without act-order)', async () => {
    await expectSameWeights('gptq-2', (tensors) => void tensors.delete('a.g_idx'))
    await expectSameWeights('gptq-8', (tensors) => void tensors.delete('a.g_idx'))
  })

  it('may have bits of their own (GPTQ, mixed)', () =>
    expectSameWeights('gptq-3-act-order', (_, settings) => void (settings['bits'] = 4)))

  it('may say their version as older programs did (GPTQ, AWQ)', async () => {
    await expectSameWeights('gptq-4-v2', (_, settings) => {
      settings['format'] = settings['checkpoint_format']
      delete settings['checkpoint_format']
    })
    await expectSameWeights('awq', (_, settings) => {
      settings['q_group_size'] = settings['group_size']
      settings['w_bit'] = settings['bits']
      settings['version'] = 'GEMM'
      delete settings['group_size']
    })
  })

  it('may have zeros that are not packed (compressed-tensors before 0.9)', () =>
    expectSameWeights('compressed-tensors-pack-4-asymmetric', (tensors) => {
      const { data, shape } = tensors.get('a.weight_zero_point')!
      const [rows, groups] = [13, shape[1]!]
      const words = new Uint32Array(data.slice().buffer)
      const zeros = Int8Array.from({ length: rows * groups }, (_, i) => {
        const [row, group] = [Math.floor(i / groups), i % groups]
        return ((words[Math.floor(row / 8) * groups + group]! >>> ((row % 8) * 4)) & 15) - 8
      })
      tensors.set('a.weight_zero_point', { dtype: 'I8', shape: [rows, groups], data: new Uint8Array(zeros.buffer) })
    }))

  it('may have a prefix that their settings do without (MLX)', () =>
    expectSameWeights(
      'mlx',
      (tensors) => {
        const all = [...tensors]
        tensors.clear()
        for (const [name, tensor] of all) tensors.set(`language_model.${name}`, tensor)
      },
      (tensor) => `language_model.${tensor}`,
    ))
})
