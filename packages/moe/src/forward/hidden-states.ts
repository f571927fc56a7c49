import { dtypeBytes } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { SourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import type { Runtime } from '@mk/tensor/runtime'
import { attend } from './attention.ts'
import type { ForwardModel } from './forward-model.ts'
import { createLinearMaps, type LinearMaps } from './linear-maps.ts'
import { rotate } from './rotary.ts'

/** What the forward pass runs on. */
export interface ForwardTools {
  readonly runtime: Pick<Runtime, 'allocate' | 'compileProduct'>
  readonly reader: SourceReader
  readonly signal?: AbortSignal | undefined
}

/** Elements of the two wide projections of a feed-forward network, of some tokens at a time. */
const wideElements = 2 ** 23

/** Multiplications of attention, some 0.1 s, after which a signal is looked at. */
const attendedProducts = 2 ** 26

/** Lets signals arrive, which they do only where the event loop turns. @throws the reason of `signal` where it has fired */
async function lookUp(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  signal?.throwIfAborted()
}

/**
 * Reads texts with a model, one layer's weights at a time, in float32: for each layer what enters it, which for the first is the embedding.
 * The last layer is not computed, as nothing after it is wanted.
 * @param texts token ids of each; positions count from 0 in each
 * @returns layer by layer, rows of `hidden` elements for all tokens of all texts, one after another; valid until the next is asked for
 */
export async function* hiddenStates(
  model: ForwardModel,
  texts: readonly (readonly number[])[],
  tools: ForwardTools,
): AsyncGenerator<Float32Array, void> {
  const { sizes, windows } = model
  const tokens = texts.reduce((sum, { length }) => sum + length, 0)
  const maps = createLinearMaps(tools.runtime, tools.reader)
  const layer = createLayer(model, texts, { maps, signal: tools.signal })
  const x = new Float32Array(tokens * sizes.hidden)
  embed(model, texts.flat(), tools.reader, x)
  for (let index = 0; index < sizes.layers; index++) {
    await lookUp(tools.signal)
    yield x
    if (index < sizes.layers - 1) await layer(index, windows[index]!, x)
  }
}

/** Reads the rows of tokens from the embedding, [tokens × hidden]. */
export function embed(
  { tensors, sizes }: Pick<ForwardModel, 'tensors' | 'sizes'>,
  tokens: readonly number[],
  reader: SourceReader,
  into: Float32Array,
): void {
  const source = tensors.get('model.embed_tokens.weight')!
  const { hidden } = sizes
  const bytes = new Uint8Array(hidden * dtypeBytes(source.dtype))
  tokens.forEach((token, index) => {
    reader.read(source, token * hidden, hidden, bytes)
    decode(source.dtype, bytes, 0, into.subarray(index * hidden, (index + 1) * hidden))
  })
}

/** Makes the function that carries rows through a layer, in place, with buffers that all layers use. */
function createLayer(
  model: ForwardModel,
  texts: readonly (readonly number[])[],
  { maps, signal }: { readonly maps: LinearMaps; readonly signal: AbortSignal | undefined },
) {
  const { sizes, rotary, epsilon, tensors } = model
  const { hidden, heads, keyHeads, headSize, intermediate } = sizes
  const tokens = texts.reduce((sum, { length }) => sum + length, 0)
  const normed = maps.allocate(tokens * hidden)
  const queries = maps.allocate(tokens * heads * headSize)
  const [keys, values] = [0, 1].map(() => maps.allocate(tokens * keyHeads * headSize)) as [Float32Array, Float32Array]
  const attended = maps.allocate(tokens * heads * headSize)
  const added = maps.allocate(tokens * hidden)
  const wideRows = Math.max(1, Math.min(tokens, Math.floor(wideElements / intermediate)))
  const [gate, up] = [0, 1].map(() => maps.allocate(wideRows * intermediate)) as [Float32Array, Float32Array]

  return async (layer: number, window: number, x: Float32Array): Promise<void> => {
    const named = (name: string): TensorSource => tensors.get(`model.layers.${layer}.${name}`)!
    const vectorOf = (name: string) => maps.vector(named(name))
    const project = async (name: string, from: Float32Array, rows: number, into: Float32Array) => {
      await lookUp(signal)
      await maps.apply({
        x: from,
        rows,
        weight: named(`${name}.weight`),
        bias: tensors.get(`model.layers.${layer}.${name}.bias`),
        into,
      })
    }

    normalize(x, vectorOf('input_layernorm.weight'), epsilon, normed)
    await project('self_attn.q_proj', normed, tokens, queries)
    await project('self_attn.k_proj', normed, tokens, keys)
    await project('self_attn.v_proj', normed, tokens, values)
    for (const [name, rows] of [
      ['q_norm', queries],
      ['k_norm', keys],
    ] as const) {
      const weight = tensors.get(`model.layers.${layer}.self_attn.${name}.weight`)
      if (weight !== undefined) normalize(rows, maps.vector(weight), epsilon, rows)
    }
    let first = 0
    for (const { length } of texts) {
      const rowsOf = (all: Float32Array, width: number) => all.subarray(first * width, (first + length) * width)
      const [q, k] = [rowsOf(queries, heads * headSize), rowsOf(keys, keyHeads * headSize)]
      for (let position = 0; position < length; position++) {
        rotate(q.subarray(position * heads * headSize, (position + 1) * heads * headSize), position, headSize, rotary)
        rotate(
          k.subarray(position * keyHeads * headSize, (position + 1) * keyHeads * headSize),
          position,
          headSize,
          rotary,
        )
      }
      const of = { queries: q, keys: k, values: rowsOf(values, keyHeads * headSize), tokens: length, window }
      const rows = Math.max(1, Math.floor(attendedProducts / (Math.min(length, window) * heads * headSize * 2)))
      for (let start = 0; start < length; start += rows) {
        await lookUp(signal)
        attend({ ...of, start, end: Math.min(length, start + rows) }, sizes, rowsOf(attended, heads * headSize))
      }
      first += length
    }
    await project('self_attn.o_proj', attended, tokens, added)
    addTo(x, added)

    normalize(x, vectorOf('post_attention_layernorm.weight'), epsilon, normed)
    for (let start = 0; start < tokens; start += wideRows) {
      const rows = Math.min(wideRows, tokens - start)
      const from = normed.subarray(start * hidden)
      await project('mlp.gate_proj', from, rows, gate)
      await project('mlp.up_proj', from, rows, up)
      for (let index = 0; index < rows * intermediate; index++) {
        const value = gate[index]!
        gate[index] = (value / (1 + Math.exp(-value))) * up[index]!
      }
      await project('mlp.down_proj', gate, rows, added.subarray(start * hidden))
    }
    addTo(x, added)
  }
}

/** Computes w · x / √(mean x² + ε) for each run of as many elements as `weight` has (RMSNorm). */
export function normalize(x: Float32Array, weight: Float32Array, epsilon: number, into: Float32Array): void {
  const width = weight.length
  for (let start = 0; start < x.length; start += width) {
    let squares = 0
    for (let index = 0; index < width; index++) squares += x[start + index]! ** 2
    const factor = 1 / Math.sqrt(squares / width + epsilon)
    for (let index = 0; index < width; index++) into[start + index] = x[start + index]! * factor * weight[index]!
  }
}

function addTo(x: Float32Array, added: Float32Array): void {
  for (let index = 0; index < x.length; index++) x[index]! += added[index]!
}
