import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineMethod, mul } from '@mk/methods'
import { openCheckpoint } from '@mk/checkpoint'
import { elementCount, dtypeBytes, layoutFile } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import { encode } from '@mk/tensor'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { describe, expect, test, vi } from 'vitest'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'
import { merge } from '../node/merge.ts'
import type { Recipe } from '../recipe.ts'
import { mergeTensors } from './merge-tensors.ts'
import type { MemoryModel, StoredTensor } from './tensor-files.ts'

const folder = useFolder()

/** Loads a folder into memory. */
async function load(name: string): Promise<MemoryModel & { readonly tensors: Map<string, StoredTensor> }> {
  const { tensors } = await openCheckpoint(join(folder.path, name))
  const reader = createSourceReader()
  const stored = [...tensors].map(([name, source]): [string, StoredTensor] => {
    const { dtype, shape } = source
    const bytes = new Uint8Array(elementCount(shape) * dtypeBytes(dtype))
    reader.read(source, 0, elementCount(shape), bytes)
    return [name, { dtype, shape, bytes }]
  })
  reader.close()
  const small = (await readdir(join(folder.path, name))).filter((file) => !file.endsWith('.safetensors'))
  const files = await Promise.all(
    small.map(async (file) => [file, await readFile(join(folder.path, name, file), 'utf8')] as const),
  )
  return { tensors: new Map(stored), files: Object.fromEntries(files) }
}

const bf16 = (...values: number[]): StoredTensor => {
  const bytes = new Uint8Array(2 * values.length)
  encode('BF16', Float32Array.from(values), bytes, 0)
  return { dtype: 'BF16', shape: [values.length], bytes }
}

describe('mergeTensors', () => {
  test.each<[string, Recipe]>([
    [
      'ties in bfloat16, by filters',
      {
        merge_method: 'ties',
        base_model: 'c',
        models: [
          { model: 'a', parameters: { weight: 1, density: [{ filter: 'mlp', value: 0.3 }, { value: 0.7 }] } },
          { model: 'b', parameters: { weight: 0.5 } },
        ],
        dtype: 'bfloat16',
      },
    ],
    [
      'layers that are stacked, by a gradient',
      {
        merge_method: 'slerp',
        slices: [
          {
            sources: [
              { model: 'a', layer_range: [0, 2] },
              { model: 'b', layer_range: [0, 2] },
            ],
          },
        ],
        base_model: 'a',
        parameters: { t: [0, 1] },
      },
    ],
  ])('gives the tensors and files that a merge writes: %s', async (_, recipe) => {
    await writeLlamas(folder.path, { a: {}, b: {}, c: {} })
    const out = join(folder.path, 'out')
    // Checksums are of files.
    await merge(recipe, { out, roots: [folder.path], threads: 0, checksums: false })
    const models = { a: await load('a'), b: await load('b'), c: await load('c') }
    const { tensors, files, nonFinite } = await mergeTensors(recipe, { models, name: 'out' })
    const written = await load('out')
    expect([...tensors.keys()]).toEqual([...written.tensors.keys()])
    for (const [name, tensor] of tensors) expect(tensor).toEqual(written.tensors.get(name))
    expect(Object.fromEntries(files)).toEqual(written.files)
    expect(nonFinite).toEqual([])
  })

  test('takes sets of tensors without a config.json, of any dtype and as typed arrays', async () => {
    const models = {
      first: { tensors: { w: bf16(1, 2), v: Float32Array.of(1), u: Float64Array.of(2) } },
      'org/second': {
        tensors: new Map([
          ['w', bf16(3, 6)],
          ['v', Float32Array.of(3)],
          ['u', Float64Array.of(4)],
        ] as [string, StoredTensor][]),
      },
    }
    const recipe: Recipe = {
      merge_method: 'linear',
      models: [{ model: 'first' }, { model: 'org/second' }],
      parameters: { weight: 1 },
    }
    const { tensors } = await mergeTensors(recipe, { models })
    expect(tensors.get('w')).toEqual(bf16(2, 4))
    expect(tensors.get('v')).toEqual({ dtype: 'F32', shape: [1], bytes: new Uint8Array(Float32Array.of(2).buffer) })
    expect(tensors.get('u')).toEqual({ dtype: 'F64', shape: [1], bytes: new Uint8Array(Float64Array.of(3).buffer) })
    expect(models.first.tensors.w).toEqual(bf16(1, 2))
  })

  test('takes YAML, a method of one’s own, and a runtime, which stays open', async () => {
    const runtime = createReferenceRuntime()
    const close = vi.spyOn(runtime, 'close')
    const half = defineMethod({
      name: 'half',
      summary: 'Half of the first.',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: {}, methodWide: {} },
      merge: ({ models }) => mul(models[0]!, 0.5),
    })
    const models = { a: { tensors: { w: Float32Array.of(2, 4) } } }
    const text = 'merge_method: half\nmodels: [{model: a}]'
    const { tensors } = await mergeTensors({ text }, { models, ownMethods: [half], runtime })
    expect(tensors.get('w')!.bytes).toEqual(new Uint8Array(Float32Array.of(1, 2).buffer))
    expect(close).not.toHaveBeenCalled()
  })

  test('reads tensors of files that models have beside their own, as adapters', async () => {
    const f32 = (shape: readonly number[], ...values: number[]): StoredTensor => {
      const bytes = new Uint8Array(4 * values.length)
      encode('F32', Float32Array.from(values), bytes, 0)
      return { dtype: 'F32', shape, bytes }
    }
    const factors = { A: f32([1, 2], 1, 2), B: f32([2, 1], 3, 4) }
    const entries = Object.entries(factors).map(([side, { dtype, shape }]) => ({
      name: `base_model.model.w.lora_${side}.weight`,
      dtype,
      shape,
    }))
    const layout = layoutFile(entries)
    const file = new Uint8Array(layout.fileBytes)
    file.set(layout.header)
    for (const [index, { byteStart }] of layout.tensors.entries())
      file.set(Object.values(factors)[index]!.bytes, byteStart)
    const config = { peft_type: 'LORA', r: 1, lora_alpha: 1, target_modules: ['w'] }
    const models = {
      base: { tensors: { 'w.weight': f32([2, 2], 10, 20, 30, 40) } },
      adapter: {
        tensors: {},
        files: { 'adapter_config.json': JSON.stringify(config), 'adapter_model.safetensors': file },
      },
    }
    const recipe: Recipe = { merge_method: 'linear', parameters: { weight: 1 }, models: [{ model: 'base+adapter' }] }
    const merged = await mergeTensors(recipe, { models })
    expect([...new Float32Array(merged.tensors.get('w.weight')!.bytes.slice().buffer)]).toEqual([13, 26, 34, 48])
  })

  test('says what is wrong with models and recipe', async () => {
    const recipe: Recipe = { merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight: 1 } }
    await expect(mergeTensors(recipe, { models: {} })).rejects.toThrow('models[0].model')
    const short = { a: { tensors: { w: { dtype: 'F32' as const, shape: [2], bytes: new Uint8Array(4) } } } }
    await expect(mergeTensors(recipe, { models: short })).rejects.toThrow("tensor 'w' is 4, expected 8")
  })

  test('ends where a signal fires, with its reason', async () => {
    const recipe: Recipe = { merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight: 1 } }
    const models = { a: { tensors: { v: Float32Array.of(1), w: Float32Array.of(1) } } }
    await expect(mergeTensors(recipe, { models, signal: AbortSignal.abort('enough') })).rejects.toBe('enough')
    const controller = new AbortController()
    const onProgress = () => controller.abort('enough')
    await expect(mergeTensors(recipe, { models, signal: controller.signal, onProgress })).rejects.toBe('enough')
  })
})
