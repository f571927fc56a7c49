import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { farthest, goldens, goldenText, loadTensors, type LoadedTensor, useOutputs } from './__fixtures__/models.ts'

const outputs = useOutputs()
const cases = readdirSync(join(goldens, 'siblings')).filter((name) => name.startsWith('moe-'))

/** As transformers 5 has them in memory, and as mergekit writes them. */
const released: readonly (readonly [RegExp, string])[] = [
  [/\.block_sparse_moe\./, '.mlp.'],
  [/\.w1\./, '.gate_proj.'],
  [/\.w3\./, '.up_proj.'],
  [/\.w2\./, '.down_proj.'],
]
const denseName = (name: string) => released.reduce((text, [from, to]) => text.replace(from, to), name)

const isRouter = (name: string) => /(?:\bgate|shared_expert_gate)\.weight$/.test(name)

/** The tensors of an output, experts packed where the golden's are. */
function likeGolden(
  tensors: ReadonlyMap<string, LoadedTensor>,
  golden: ReadonlyMap<string, LoadedTensor>,
): Map<string, LoadedTensor> {
  const named = new Map([...tensors].map(([name, tensor]) => [denseName(name), tensor]))
  for (const [name, { shape }] of golden) {
    const parts = name.endsWith('.experts.gate_up_proj') ? ['gate_proj', 'up_proj'] : ['down_proj']
    if (!/\.experts\.(gate_up|down)_proj$/.test(name)) continue
    const values = Array.from({ length: shape[0]! }, (_, expert) =>
      parts.flatMap((part) => {
        const each = `${name.slice(0, name.lastIndexOf('.'))}.${expert}.${part}.weight`
        const tensor = named.get(each)!
        named.delete(each)
        return [...tensor.values]
      }),
    )
    named.set(name, { ...golden.get(name)!, values: Float32Array.from(values.flat()) })
  }
  return named
}

/** What mergekit rounds to bfloat16 on its way, and keys that mean nothing to the output. */
const otherKeys = new Set([
  'pretraining_tp',
  'mlp_bias',
  'attention_bias',
  'num_experts',
  'num_local_experts',
  'router_jitter_noise',
  // Of what a dense model's class writes of every model.
  '_name_or_path',
  'chunk_size_feed_forward',
  'id2label',
  'is_encoder_decoder',
  'label2id',
  'output_attentions',
  'output_hidden_states',
  'problem_type',
  'return_dict',
  'torch_dtype',
  'rope_theta',
  'rope_scaling',
  'head_dim',
])
const settingsOf = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !otherKeys.has(key)))
const readConfig = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>

describe('what mergekit-moe made', () => {
  it.each(cases)('%s', async (name) => {
    const expected = join(goldens, 'siblings', name, 'expected')
    const { out } = await outputs.make(await goldenText(name))
    const golden = await loadTensors(expected)
    const made = likeGolden(await loadTensors(out), golden)
    const config = readConfig(out)
    expect(settingsOf(config)).toEqual(settingsOf(readConfig(expected)))
    expect(config['num_experts'] ?? config['num_local_experts'] ?? config['n_routed_experts']).toBe(
      name.includes('-4') ? 4 : /random|uniform|negative|qwen3-cheap/.test(name) ? 3 : 2,
    )
    expect(readFileSync(join(out, 'mergekit_moe_config.yml'), 'utf8')).toBe(await goldenText(name))
    // Of one golden only the routers are here.
    const isWhole = !existsSync(join(expected, 'routers.safetensors'))
    const names = [...made.keys()].filter((tensor) => isWhole || isRouter(tensor))
    expect(names.toSorted()).toEqual([...golden.keys()].toSorted())
    const kinds = (tensors: ReadonlyMap<string, LoadedTensor>) =>
      [...golden.keys()].map((tensor) => [tensor, tensors.get(tensor)!.dtype, tensors.get(tensor)!.shape])
    expect(kinds(made)).toEqual(kinds(golden))
    const off = [...golden].flatMap(([tensor, { values }]) => {
      const distance = farthest(made.get(tensor)!.values, values)
      return distance > toleranceOf(name, tensor, golden) ? [`${tensor} is off by ${distance}`] : []
    })
    expect(off).toEqual([])
  })

  it.each(['random', 'uniform'])('draws rows as it does: %s', async (mode) => {
    const { out } = await outputs.make(await goldenText(`moe-mixtral-${mode}`))
    const [made, golden] = [
      await loadTensors(out),
      await loadTensors(join(goldens, 'siblings', `moe-mixtral-${mode}`, 'expected')),
    ]
    const spreadOf = (tensors: ReadonlyMap<string, LoadedTensor>) => {
      const drawn = [...tensors].flatMap(([name, { values }]) => (isRouter(name) ? [...values] : []))
      expect(drawn).toHaveLength(288)
      return Math.sqrt(drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length)
    }
    expect(Math.abs(spreadOf(made) / spreadOf(golden) - 1)).toBeLessThan(0.15)
    const most = Math.max(
      ...[...made].flatMap(([name, { values }]) => (isRouter(name) ? Array.from(values, Math.abs) : [])),
    )
    expect(most).toBeLessThan(mode === 'uniform' ? 1 / Math.sqrt(24) : 4)
  })
})

/** How far an element may be off: what is copied is the same. */
function toleranceOf(name: string, tensor: string, golden: ReadonlyMap<string, LoadedTensor>): number {
  if (!isRouter(tensor)) return 0
  if (/random|uniform/.test(name)) return Infinity
  // transformers replaces the way in which this model's tokenizer splits text by that of Qwen; the last token stays the same.
  if (name === 'moe-qwen-hidden-shared' && !tensor.includes('.layers.0.')) return Infinity
  // mergekit's forward pass is in bfloat16, which moves an element by up to 2⁻⁸ of the largest.
  if (name.includes('hidden')) return 5e-3
  return [...golden.values()][0]!.dtype === 'BF16' ? 4e-3 : 1e-5
}
