import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ModelConfig } from '@mk/architecture'
import { openCheckpoint } from '@mk/checkpoint'
import { createSourceReader } from '@mk/source/node'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { openRuntime, wasmRuntime } from '@mk/merge/run'
import { describe, expect, it } from 'vitest'
import { farthest, floatsOf, goldens } from '../__fixtures__/models.ts'
import { describeForward, type ForwardModel } from './forward-model.ts'
import { hiddenStates } from './hidden-states.ts'

interface Fixture {
  readonly texts: readonly (readonly number[])[]
  readonly cases: readonly {
    readonly name: string
    readonly model: string
    readonly config: ModelConfig
    readonly states: string
  }[]
}

const fixture = JSON.parse(
  readFileSync(new URL('../__fixtures__/hidden-states.json', import.meta.url), 'utf8'),
) as Fixture

const sizesOf = (config: ModelConfig) => {
  const hidden = Number(config['hidden_size'])
  const heads = Number(config['num_attention_heads'])
  return {
    hidden,
    heads,
    intermediate: Number(config['intermediate_size']),
    layers: Number(config['num_hidden_layers']),
    keyHeads: Number(config['num_key_value_heads']),
    headSize: hidden / heads,
  }
}

async function describeModel(folder: string, config: ModelConfig): Promise<ForwardModel> {
  const { tensors } = await openCheckpoint(
    { path: join(goldens, 'models', folder), adapters: [] },
    { roots: [goldens] },
  )
  const model = describeForward(config, sizesOf(config), tensors)
  if (typeof model === 'string') throw new TypeError(model)
  return model
}

describe('hiddenStates', () => {
  it.each(fixture.cases)('is what transformers computes: $name', async ({ model: folder, config, states }) => {
    const model = await describeModel(folder, config)
    const runtime = await openRuntime(wasmRuntime)
    const reader = createSourceReader()
    const expected = floatsOf(states)
    const found: number[] = []
    for await (const rows of hiddenStates(model, fixture.texts, { runtime, reader })) found.push(...rows)
    await runtime.close()
    reader.close()
    const size = Math.sqrt(expected.reduce((sum, value) => sum + value * value, 0) / expected.length)
    expect(farthest(found, expected) / size).toBeLessThan(5e-6)
  })

  it('is the same on the reference runtime, up to rounding, and stops when told to', async () => {
    const { model: folder, config, states } = fixture.cases[0]!
    const model = await describeModel(folder, config)
    const reader = createSourceReader()
    const stop = new AbortController()
    const tools = { runtime: createReferenceRuntime(), reader, signal: stop.signal }
    const width = fixture.texts.flat().length * model.sizes.hidden
    const layers = hiddenStates(model, fixture.texts, tools)
    const first = await layers.next()
    expect(farthest(first.value as Float32Array, floatsOf(states).subarray(0, width))).toBe(0)
    stop.abort(new Error('stopped'))
    await expect(layers.next()).rejects.toThrow('stopped')
    reader.close()
  })

  it.each<[string, ModelConfig, string]>([
    ['another family', { model_type: 'gemma2' }, 'family gemma2'],
    ['another activation', { model_type: 'llama', hidden_act: 'gelu' }, 'hidden_act "gelu"'],
    ['an unknown scaling', { model_type: 'llama', rope_scaling: { rope_type: 'longrope' } }, `type 'longrope'`],
    ['heads that are turned in part', { model_type: 'llama', partial_rotary_factor: 0.5 }, 'partial_rotary_factor 0.5'],
  ])('refuses %s in words', (_, config, words) => {
    const sizes = { hidden: 8, heads: 2, keyHeads: 1, headSize: 4, intermediate: 8, layers: 1 }
    expect(describeForward(config, sizes, new Map())).toContain(words)
  })

  it('hears a signal that arrives while a layer reads a long text', async () => {
    const { model: folder, config } = fixture.cases[0]!
    const model = await describeModel(folder, config)
    const reader = createSourceReader()
    const stop = new AbortController()
    const states = hiddenStates(model, [Array.from({ length: 3000 }, () => 1)], {
      runtime: createReferenceRuntime(),
      reader,
      signal: stop.signal,
    })
    await states.next()
    setImmediate(() => stop.abort(new RangeError('enough')))
    await expect(states.next()).rejects.toThrow('enough')
    reader.close()
  })
})
