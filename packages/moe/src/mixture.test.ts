import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { farthest, floatsOf, goldenText, loadTensors, type LoadedTensor, useOutputs } from './__fixtures__/models.ts'
import { attend } from './forward/attention.ts'
import { normalize } from './forward/hidden-states.ts'
import { readRotary, rotate } from './forward/rotary.ts'

/** Logits that transformers computes with the outputs: scripts/make-fixtures.py. */
const fixture = JSON.parse(readFileSync(new URL('./__fixtures__/mixture-logits.json', import.meta.url), 'utf8')) as {
  readonly tokens: readonly number[]
  readonly cases: readonly { readonly name: string; readonly logits: string }[]
}
const outputs = useOutputs()

type Tensors = ReadonlyMap<string, LoadedTensor>
type Config = Record<string, number> & { readonly tie_word_embeddings: boolean }

/** x · Wᵀ + b, in float64. */
function project(x: Float32Array, tensors: Tensors, name: string, rows: number): Float32Array {
  const { shape, values } = tensors.get(`${name}.weight`)!
  const bias = tensors.get(`${name}.bias`)?.values
  const [columns, depth] = shape as [number, number]
  return Float32Array.from({ length: rows * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns]
    let sum = bias?.[column] ?? 0
    for (let i = 0; i < depth; i++) sum += x[row * depth + i]! * values[column * depth + i]!
    return sum
  })
}

const silu = (value: number) => value / (1 + Math.exp(-value))

function network(x: Float32Array, tensors: Tensors, names: readonly [string, string, string]): Float32Array {
  const [gate, up, down] = names
  const wide = project(x, tensors, gate, 1)
  const other = project(x, tensors, up, 1)
  return project(
    wide.map((value, index) => silu(value) * other[index]!),
    tensors,
    down,
    1,
  )
}

/** What a token gets from the experts: those whose rows it is nearest to, weighted by the softmax over them. */
function mix(x: Float32Array, tensors: Tensors, path: string, perToken: number): Float32Array {
  const isMixtral = tensors.has(`${path}.block_sparse_moe.gate.weight`)
  const at = `${path}.${isMixtral ? 'block_sparse_moe' : 'mlp'}`
  const parts = isMixtral ? (['w1', 'w3', 'w2'] as const) : (['gate_proj', 'up_proj', 'down_proj'] as const)
  const namesOf = (of: string) => parts.map((part) => `${of}.${part}`) as unknown as readonly [string, string, string]
  const scores = [...project(x, tensors, `${at}.gate`, 1)].map((score, expert) => ({ score, expert }))
  const chosen = scores.toSorted((a, b) => b.score - a.score).slice(0, perToken)
  const total = chosen.reduce((sum, { score }) => sum + Math.exp(score), 0)
  const sum = new Float64Array(x.length)
  for (const { score, expert } of chosen)
    network(x, tensors, namesOf(`${at}.experts.${expert}`)).forEach((value, index) => {
      sum[index]! += (Math.exp(score) / total) * value
    })
  if (tensors.has(`${at}.shared_expert_gate.weight`)) {
    const [gate] = project(x, tensors, `${at}.shared_expert_gate`, 1)
    network(x, tensors, namesOf(`${at}.shared_expert`)).forEach((value, index) => {
      sum[index]! += value / (1 + Math.exp(-gate!))
    })
  }
  return Float32Array.from(sum)
}

/** The logits of a text, written down plainly. */
function logitsOf(tensors: Tensors, config: Config, tokens: readonly number[]): Float32Array {
  const hidden = config['hidden_size']!
  const sizes = {
    heads: config['num_attention_heads']!,
    keyHeads: config['num_key_value_heads']!,
    headSize: hidden / config['num_attention_heads']!,
  }
  const rotary = readRotary(config, sizes.headSize)
  if (typeof rotary === 'string') throw new TypeError(rotary)
  const vector = (name: string) => tensors.get(`${name}.weight`)!.values
  const normed = (x: Float32Array, name: string) => {
    const into = new Float32Array(x.length)
    normalize(x, vector(name), config['rms_norm_eps']!, into)
    return into
  }
  const embedding = vector('model.embed_tokens')
  const x = Float32Array.from(tokens.flatMap((token) => [...embedding.subarray(token * hidden, (token + 1) * hidden)]))
  const rowsOf = (all: Float32Array) =>
    tokens.map((_, row) => all.subarray((row * all.length) / tokens.length, ((row + 1) * all.length) / tokens.length))
  for (let layer = 0; layer < config['num_hidden_layers']!; layer++) {
    const path = `model.layers.${layer}`
    const before = normed(x, `${path}.input_layernorm`)
    const [q, k, v] = ['q', 'k', 'v'].map((name) =>
      project(before, tensors, `${path}.self_attn.${name}_proj`, tokens.length),
    ) as [Float32Array, Float32Array, Float32Array]
    if (tensors.has(`${path}.self_attn.q_norm.weight`)) {
      normalize(q, vector(`${path}.self_attn.q_norm`), config['rms_norm_eps']!, q)
      normalize(k, vector(`${path}.self_attn.k_norm`), config['rms_norm_eps']!, k)
    }
    for (const each of [q, k]) rowsOf(each).forEach((row, position) => rotate(row, position, sizes.headSize, rotary))
    const attended = new Float32Array(q.length)
    attend({ queries: q, keys: k, values: v, tokens: tokens.length }, sizes, attended)
    project(attended, tensors, `${path}.self_attn.o_proj`, tokens.length).forEach(
      (value, index) => (x[index]! += value),
    )
    rowsOf(normed(x, `${path}.post_attention_layernorm`)).forEach((row, token) =>
      mix(row, tensors, path, config['num_experts_per_tok']!).forEach(
        (value, index) => (x[token * hidden + index]! += value),
      ),
    )
  }
  const head = config.tie_word_embeddings ? 'model.embed_tokens' : 'lm_head'
  return project(normed(x, 'model.norm'), tensors, head, tokens.length)
}

describe('a mixture', () => {
  it.each(fixture.cases)(
    'gives transformers the logits of its experts, mixed plainly: $name',
    async ({ name, logits }) => {
      const { out } = await outputs.make(await goldenText(name))
      const config = JSON.parse(readFileSync(`${out}/config.json`, 'utf8')) as Config
      const found = logitsOf(await loadTensors(out), config, fixture.tokens)
      expect(farthest(found, floatsOf(logits))).toBeLessThan(2e-5)
    },
  )
})
