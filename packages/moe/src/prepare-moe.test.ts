import { readFileSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { prepareMerge, runMerge } from '@mk/merge'
import { describe, expect, it } from 'vitest'
import { farthest, goldens, loadModel, loadTensors, useOutputs } from './__fixtures__/models.ts'
import { prepareMoe } from './prepare-moe.ts'

const outputs = useOutputs()
const model = (name: string) => join(goldens, 'models', name)

const recipe = ({ base = 'llama-base', experts = ['llama-ft1', 'llama-ft2'], more = '', of = '' } = {}) =>
  `base_model: ${model(base)}\n${more}experts:\n${experts.map((name, index) => `  - source_model: ${model(name)}\n    positive_prompts: [text ${index}]\n${of}`).join('')}`

const planOf = async (text: string, options = {}) => (await prepareMoe({ text, file: 'moe.yml', ...options })).plan
const refused = async (text: string): Promise<string> => {
  const error: unknown = await prepareMoe({ text, file: 'moe.yml' }).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ fault: 'usage' })
  return (error as Error).message
}
/** A copy of a model with another config.json. */
const changed = async (name: string, settings: Record<string, unknown>): Promise<string> => {
  const folder = join(outputs.root, `${name}-${Object.keys(settings).join('-')}`)
  await mkdir(folder, { recursive: true })
  await cp(model(name), folder, { recursive: true })
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, ...settings }))
  return folder
}

describe('prepareMoe', () => {
  it('plans without reading a prompt, and puts the rows in afterwards', async () => {
    const prepared = await prepareMoe({ text: recipe(), file: 'moe.yml' })
    const gate = 'model.layers.1.block_sparse_moe.gate.weight'
    const sourceIn = ({ tensors }: typeof prepared.plan) => {
      const { operation } = tensors.find(({ name }) => name === gate)!
      return operation.kind === 'copy' ? operation.input.source : undefined
    }
    expect(sourceIn(prepared.plan)).toEqual({ kind: 'values', dtype: 'F32', shape: [2, 24] })
    expect(sourceIn(await prepared.download())).toMatchObject({ base64: expect.any(String) })
    expect(prepared.plan.notes).toEqual(['Mixtral of 2 experts, 2 for each token; router rows: hidden'])
  })

  it('tells of experts that float16 cannot hold', async () => {
    const text = recipe({ more: 'dtype: float16\ngate_mode: hidden\n', of: '    residual_scale: 1e7\n' })
    const prepared = await prepareMoe({ text, file: 'moe.yml' })
    const plan = await prepared.download()
    const options = { methods: prepared.methods, threads: 0, out: join(outputs.root, 'overflow') }
    const { nonFinite } = await runMerge(plan, options)
    expect(nonFinite.map(({ tensor }) => tensor)).toContain('model.layers.0.block_sparse_moe.experts.1.w2.weight')
    expect(nonFinite.every(({ dtype, results, overflow }) => dtype === 'F16' && overflow === results)).toBe(true)
    const strict = runMerge(plan, { ...options, out: join(outputs.root, 'strict'), strict: true })
    await expect(strict).rejects.toMatchObject({ code: 'values-not-finite' })
  })

  it('makes the same of the same text', async () => {
    const text = recipe({ of: '    noise_scale: 0.5\n    residual_scale: 0.25\n', more: 'gate_mode: cheap_embed\n' })
    const [a, b] = [await outputs.make(text), await outputs.make(text)]
    const [first, second] = [await loadTensors(a.out), await loadTensors(b.out)]
    expect(second).toEqual(first)
    const expert = 'model.layers.0.block_sparse_moe.experts.1'
    const source = (await loadModel('llama-ft2')).get('model.layers.0.mlp.up_proj.weight')!
    const spread = (values: Float32Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length)
    const noise = first.get(`${expert}.w3.weight`)!.values.map((value, index) => value - source.values[index]!)
    expect(spread(noise)).toBeGreaterThan(0.45)
    expect(spread(noise)).toBeLessThan(0.55)
    const card = readFileSync(join(a.out, 'README.md'), 'utf8')
    expect(card).toContain('Random seed: 0.')
    expect(card).toContain('AutoModelForCausalLM')
  })

  it('takes the mean of all tokens of a prompt for hidden_avg, and not of what fills up shorter ones', async () => {
    const rowsOf = async (prompts: string, mode = 'hidden_avg') => {
      const text = recipe({ more: `gate_mode: ${mode}\n` }).replace('[text 0]', prompts)
      const { out } = await outputs.make(text)
      const gate = (await loadTensors(out)).get('model.layers.2.block_sparse_moe.gate.weight')!
      return gate.values.subarray(0, 24)
    }
    const [short, long, both] = [await rowsOf('[ab]'), await rowsOf('[abcabcabc]'), await rowsOf('[ab, abcabcabc]')]
    expect(farthest(short, await rowsOf('[ab]', 'hidden'))).toBeGreaterThan(1e-3)
    // In the plane of the two.
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0)
    const across = both.map((value, index) => value - long[index]! * dot(both, long))
    const direction = short.map((value, index) => value - long[index]! * dot(short, long))
    expect(dot(across, direction) ** 2 / (dot(across, across) * dot(direction, direction))).toBeCloseTo(1, 4)
  })

  it('takes experts from a GGUF and with an adapter, as a merge does', async () => {
    const gguf = join(outputs.root, 'gguf')
    const converting = { outFormat: 'gguf', outDtype: 'float32', preTokenizer: 'gpt-2' } as const
    const alone = { merge_method: 'passthrough', models: [{ model: model('llama-ft2') }] } as const
    const converted = await prepareMerge({ recipe: alone, ...converting })
    await runMerge(converted.plan, { out: gguf, methods: converted.methods, threads: 0 })
    const text = recipe({ more: 'gate_mode: random\n' })
      .replace(model('llama-ft1'), `${model('llama-ft1')}+${model('lora-qvd')}`)
      .replace(model('llama-ft2'), join(gguf, 'model.gguf'))
    const tensors = await loadTensors((await outputs.make(text)).out)
    const [ft1, ft2] = [await loadModel('llama-ft1'), await loadModel('llama-ft2')]
    const name = 'model.layers.1.mlp.down_proj.weight'
    const expert = (index: number) => tensors.get(`model.layers.1.block_sparse_moe.experts.${index}.w2.weight`)!.values
    expect(farthest(expert(1), ft2.get(name)!.values)).toBe(0)
    expect(farthest(expert(0), ft1.get(name)!.values)).toBeGreaterThan(1e-3)
  })

  it('takes an expert whose weights are quantized, which it has as far as its codes tell them', async () => {
    const tiny = (name: string) => join(goldens, '../examples/models', name)
    const convert = async (from: string, out: string, converting: object) => {
      const recipe = { merge_method: 'passthrough', models: [{ model: from }] } as const
      const prepared = await prepareMerge({ recipe, ...converting })
      await runMerge(prepared.plan, { out, methods: prepared.methods, threads: 0 })
    }
    const [quantized, read] = [join(outputs.root, 'q8'), join(outputs.root, 'q8-read')]
    await convert(tiny('tiny-code'), quantized, { outFormat: 'gguf', outDtype: 'q8_0' })
    await convert(join(quantized, 'model.gguf'), read, { outFormat: 'safetensors', outDtype: 'float32' })
    const text = recipe({ more: 'gate_mode: cheap_embed\ndtype: float32\n' })
      .replace(model('llama-base'), tiny('tiny-base'))
      .replace(model('llama-ft1'), tiny('tiny-prose'))
      .replace(model('llama-ft2'), join(quantized, 'model.gguf'))
    const tensors = await loadTensors((await outputs.make(text)).out)
    const [original, codes] = [await loadTensors(tiny('tiny-code')), await loadTensors(read)]
    for (const [part, name] of [
      ['w1', 'gate'],
      ['w2', 'down'],
      ['w3', 'up'],
    ] as const) {
      const { values } = tensors.get(`model.layers.4.block_sparse_moe.experts.1.${part}.weight`)!
      const weights = original.get(`model.layers.4.mlp.${name}_proj.weight`)!.values
      expect(farthest(values, codes.get(`blk.4.ffn_${name}.weight`)!.values)).toBe(0)
      const largest = Math.max(...weights.map(Math.abs))
      expect(farthest(values, weights)).toBeGreaterThan(0)
      expect(farthest(values, weights)).toBeLessThan(largest / 127)
    }
  })

  it('goes on where it was interrupted, with the same bytes', async () => {
    const text = recipe({ more: 'gate_mode: hidden\n' })
    const whole = await outputs.make(text)
    const out = join(outputs.root, 'interrupted')
    const prepared = await prepareMoe({ text, file: 'moe.yml' })
    const stop = new AbortController()
    const run = { out, methods: prepared.methods, threads: 0 }
    const stopped = runMerge(await prepared.download(), {
      ...run,
      signal: stop.signal,
      onProgress: ({ finishedTensors }) => finishedTensors === 20 && stop.abort(new Error('stopped')),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'interrupted' })
    const again = await prepareMoe({ text, file: 'moe.yml' })
    const { resumedTensors } = await runMerge(await again.download(), { ...run, methods: again.methods })
    expect(resumedTensors).toBeGreaterThanOrEqual(20)
    expect(await loadTensors(out)).toEqual(await loadTensors(whole.out))
  })

  it('gives Qwen MoE biases of 0 where the base has none', async () => {
    const shared = `shared_experts:\n  - {source_model: ${model('llama-base')}, positive_prompts: [x]}\n`
    const { out } = await outputs.make(recipe({ more: `architecture: qwen\n${shared}` }))
    const tensors = await loadTensors(out)
    expect(new Set(tensors.get('model.layers.0.self_attn.k_proj.bias')!.values)).toEqual(new Set([0]))
    expect(tensors.get('model.layers.3.mlp.shared_expert_gate.weight')!.shape).toEqual([1, 24])
  })

  it('keeps how far back layers see', async () => {
    const base = await changed('llama-base', { model_type: 'mistral', sliding_window: 16 })
    const mistral = recipe().replaceAll(/\S*models\/llama-\w+/g, base)
    const text = mistral.replace('text 0', 'other')
    const configIn = async (options: string) => {
      const plan = await prepareMoe({ text: `${options}${text}`, file: 'moe.yml', allowEqualExperts: true })
      return JSON.parse(plan.plan.documents.find(({ name }) => name === 'config.json')!.text) as object
    }
    expect(await configIn('')).toMatchObject({ model_type: 'mixtral', sliding_window: 16 })
    expect(
      await configIn(`architecture: qwen\nshared_experts: [{source_model: ${base}, positive_prompts: [x]}]\n`),
    ).toMatchObject({ max_window_layers: 0, sliding_window: 16, use_sliding_window: true })
    await expect(configIn('architecture: deepseek\n')).rejects.toThrow('sliding_window')
  })

  it('states what families have other defaults for', async () => {
    const base = await changed('llama-base', {
      rope_parameters: undefined,
      rms_norm_eps: undefined,
      head_dim: undefined,
    })
    const plan = await planOf(recipe().replace(model('llama-base'), base))
    const { text } = plan.documents.find(({ name }) => name === 'config.json')!
    expect(JSON.parse(text)).toMatchObject({ rope_theta: 10_000, rms_norm_eps: 1e-6, num_key_value_heads: 2 })
    expect(text).toContain('"rope_theta": 10000.0')
  })

  it.each([
    ['llama', recipe({ more: 'gate_mode: cheap_embed\n' })],
    [
      'qwen2moe',
      recipe({
        base: 'qwen-base',
        experts: ['qwen-ft1', 'qwen-ft2'],
        more: `gate_mode: cheap_embed\nshared_experts: [{source_model: ${model('qwen-base')}, positive_prompts: [x]}]\n`,
      }),
    ],
    ['qwen3moe', recipe({ base: 'qwen3-base', experts: ['qwen3-ft1', 'qwen3-ft2'], more: 'gate_mode: cheap_embed\n' })],
  ])('becomes a GGUF: %s', async (architecture, text) => {
    const plan = await planOf(text, { outFormat: 'gguf', outDtype: 'float32', preTokenizer: 'gpt-2' })
    expect(plan.files).toMatchObject([{ name: 'model.gguf', format: 'gguf' }])
    const [file] = plan.files
    const header = file!.format === 'gguf' ? Buffer.from(file!.pieces[0]!.base64, 'base64').toString('latin1') : ''
    expect(header).toContain(`${architecture}.expert_count`)
    expect(header).toContain('blk.0.ffn_gate_inp.weight')
    expect(header).toContain('blk.0.ffn_down_exps.weight')
  })

  it('refuses a GGUF of a Qwen MoE that chooses among its experts, which llama.cpp would not weigh alike', async () => {
    const shared = `shared_experts: [{source_model: ${model('qwen-base')}, positive_prompts: [x]}]\n`
    const more = `gate_mode: cheap_embed\nexperts_per_token: 1\n${shared}`
    const text = recipe({ base: 'qwen-base', experts: ['qwen-ft1', 'qwen-ft2'], more })
    await expect(planOf(text, { outFormat: 'gguf', preTokenizer: 'gpt-2' })).rejects.toThrow('norm_topk_prob is true')
  })

  it('refuses models of several families, with the reason against each output', async () => {
    const message = await refused(recipe({ experts: ['llama-ft1', 'qwen-ft1'] }))
    expect(message).toContain(
      'Mixtral takes models of llama or mistral, found models of several families (llama, qwen2)',
    )
  })

  it.each<[string, string, string]>([
    [
      'an output that can not be',
      recipe({ more: 'architecture: qwen3\n' }),
      'Qwen3 MoE takes models of qwen3, found llama',
    ],
    ['an output that there is none of', recipe({ more: 'architecture: gpt\n' }), 'expected the beginning of Mixtral'],
    [
      'a shared expert of Mixtral',
      recipe({ more: `architecture: mixtral\nshared_experts: [{source_model: ${model('llama-base')}}]\n` }),
      'has no shared experts, found 1',
    ],
    [
      'two of Qwen',
      recipe({ base: 'qwen-base', experts: ['qwen-ft1', 'qwen-ft2'] }),
      'Qwen MoE has one shared expert, found 0',
    ],
    [
      'experts of another size',
      recipe({ experts: ['llama-ft1', '../../examples/models/tiny-code'] }),
      'mlp.gate_proj.weight is [',
    ],
    ['models of no such family', recipe({ base: 'gpt2-base', experts: ['gpt2-ft1', 'gpt2-ft2'] }), 'found gpt2'],
  ])('refuses %s', async (_, text, message) => {
    expect(await refused(text)).toContain(message)
  })

  it('refuses a base that says it has more layers than it has, and one that lacks a tensor', async () => {
    const deeper = await changed('llama-base', { num_hidden_layers: 5 })
    expect(await refused(recipe().replace(model('llama-base'), deeper))).toContain('in 4 layers, expected 5')
    const base = join(outputs.root, 'lacking')
    await cp(model('llama-base'), base, { recursive: true })
    const file = join(base, 'model.safetensors')
    // The same file with another name for one of its tensors.
    const text = readFileSync(file, 'latin1').replace(
      'layers.2.post_attention_layernorm',
      'layers.2.post_attention_layernorn',
    )
    await writeFile(file, text, 'latin1')
    const message = await refused(recipe().replace(model('llama-base'), base))
    expect(message).toContain('lacks model.layers.2.post_attention_layernorm.weight')
  })

  it('refuses to read prompts with a model that it can not compute, before anything is read', async () => {
    const base = await changed('llama-base', { rope_parameters: { rope_type: 'longrope', rope_theta: 10_000 } })
    const text = recipe().replace(model('llama-base'), base)
    expect(await refused(text)).toContain(`rotary embeddings of the type 'longrope' are not computed here`)
    expect((await planOf(`gate_mode: cheap_embed\n${text}`)).tensors.length).toBeGreaterThan(50)
  })

  it('refuses prompts with tokens that the embedding has no rows for', async () => {
    const base = await changed('llama-base', { use_cache: true })
    await cp(join(goldens, '../examples/models/tiny-base/tokenizer.json'), join(base, 'tokenizer.json'))
    const text = recipe().replace(model('llama-base'), base)
    const prepared = await prepareMoe({ text, file: 'moe.yml' })
    await expect(prepared.download()).rejects.toMatchObject({ code: 'moe-token', fault: 'usage' })
  })

  it('refuses prompts that are longer than dynamic rotary embeddings are computed for', async () => {
    const rope = { rope_type: 'dynamic', factor: 2, rope_theta: 10_000, original_max_position_embeddings: 4 }
    const base = await changed('llama-base', { rope_parameters: rope, use_cache: true })
    const prepared = await prepareMoe({ text: recipe().replace(model('llama-base'), base), file: 'moe.yml' })
    await expect(prepared.download()).rejects.toThrow('dynamic rotary embeddings are computed up to 4')
  })

  it('refuses a base without a tokenizer for prompts', async () => {
    const base = join(outputs.root, 'without-tokenizer')
    await mkdir(base)
    for (const name of ['config.json', 'model.safetensors']) await cp(join(model('llama-base'), name), join(base, name))
    const text = recipe().replace(model('llama-base'), base)
    expect(await refused(text)).toContain('it has no tokenizer.json')
    expect((await planOf(`gate_mode: random\n${text}`)).tensors.length).toBeGreaterThan(50)
  })
})
