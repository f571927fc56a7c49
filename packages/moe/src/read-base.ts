import { architectureName, isBuffer, isTied, type ModelConfig } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import type { MergeInputs } from '@mk/merge'
import { MoeError } from './errors.ts'
import { mlpParts, type MlpPart, type Sizes } from './outputs/output.ts'

/** The base model, as far as its headers tell. */
export interface BaseModel {
  /** Position among the inputs: it may be one of the experts, too. */
  readonly input: number
  readonly label: string
  readonly checkpoint: Checkpoint
  readonly config: ModelConfig
  readonly sizes: Sizes
  /** Tensors in the order of the file: what each is for the output. */
  readonly tensors: readonly BaseTensor[]
}

interface BaseTensor {
  readonly name: string
  readonly use: TensorUse
}

/** What becomes of a tensor of the base. */
type TensorUse =
  /** It is in every output. */
  | { readonly kind: 'kept' }
  /** Only some outputs have it. */
  | { readonly kind: 'extra'; readonly extra: 'qkv_bias' | 'o_bias' | 'qk_norm' }
  /** Part of the feed-forward network of a layer, in whose place the experts stand. */
  | { readonly kind: 'mlp'; readonly layer: number; readonly part: MlpPart }
  /** It follows from others. */
  | { readonly kind: 'left'; readonly reason: 'buffer' | 'tied' }
  /** No output has a place for it. */
  | { readonly kind: 'unknown' }

const outside = ['model.embed_tokens.weight', 'model.norm.weight']
const inLayer = [
  'input_layernorm.weight',
  'post_attention_layernorm.weight',
  'self_attn.q_proj.weight',
  'self_attn.k_proj.weight',
  'self_attn.v_proj.weight',
  'self_attn.o_proj.weight',
]

/** The name of a layer's tensor. */
export const inLayerOf = (layer: number, name: string): string => `model.layers.${layer}.${name}`

/** Reads what a base model is off its headers. @throws MoeError 'moe-without-config', 'moe-layers', 'moe-lacks' */
export function readBase({ checkpoints, layouts, labels, donor }: MergeInputs, input: number): BaseModel {
  // A GGUF among other models has no config.json; then it is that of the first model that has one.
  const checkpoint = checkpoints[input]!
  const label = labels[input]!
  const { config } = checkpoints[donor]!
  if (config === undefined) throw new MoeError({ code: 'moe-without-config', model: label })
  const tied = isTied(config, layouts[donor])
  const tensors = [...checkpoint.tensors.keys()].map((name): BaseTensor => ({ name, use: useOf(name, tied) }))
  const sizes = readSizes(checkpoint, config, label)
  const found = new Set(tensors.flatMap(({ use }) => (use.kind === 'mlp' ? [use.layer] : []))).size
  if (found !== sizes.layers) throw new MoeError({ code: 'moe-layers', model: label, found, expected: sizes.layers })
  const needed = [...outside, ...Array.from({ length: sizes.layers }, (_, layer) => namesIn(layer)).flat()]
  const names = needed.filter((name) => !checkpoint.tensors.has(name))
  if (names.length > 0) throw new MoeError({ code: 'moe-lacks', model: label, names })
  return { input, label, checkpoint, config, sizes, tensors }
}

/** What every layer of a base has. */
const namesIn = (layer: number): readonly string[] =>
  [...inLayer, ...mlpParts.map((part) => `mlp.${part}.weight`)].map((name) => inLayerOf(layer, name))

/** The family that config.json names. */
export const familyOf = (config: ModelConfig | undefined): string =>
  String(config?.['model_type'] ?? architectureName(config) ?? 'unknown')

function useOf(name: string, tied: boolean): TensorUse {
  if (outside.includes(name)) return { kind: 'kept' }
  if (name === 'lm_head.weight') return tied ? { kind: 'left', reason: 'tied' } : { kind: 'kept' }
  if (isBuffer(name)) return { kind: 'left', reason: 'buffer' }
  const [, layer, rest = ''] = /^model\.layers\.(\d+)\.(.+)$/.exec(name) ?? []
  if (inLayer.includes(rest)) return { kind: 'kept' }
  if (/^self_attn\.[qkv]_proj\.bias$/.test(rest)) return { kind: 'extra', extra: 'qkv_bias' }
  if (rest === 'self_attn.o_proj.bias') return { kind: 'extra', extra: 'o_bias' }
  if (/^self_attn\.[qk]_norm\.weight$/.test(rest)) return { kind: 'extra', extra: 'qk_norm' }
  const part = mlpParts.find((each) => rest === `mlp.${each}.weight`)
  return part === undefined ? { kind: 'unknown' } : { kind: 'mlp', layer: Number(layer), part }
}

function readSizes({ tensors }: Checkpoint, config: ModelConfig, model: string): Sizes {
  const rows = (name: string): readonly number[] => {
    const shape = tensors.get(name)?.shape
    if (shape === undefined) throw new MoeError({ code: 'moe-lacks', model, names: [name] })
    return shape
  }
  const [intermediate = 0, hidden = 0] = rows(inLayerOf(0, 'mlp.gate_proj.weight'))
  const heads = Number(config['num_attention_heads'] ?? 32)
  const headSize = Math.floor((rows(inLayerOf(0, 'self_attn.q_proj.weight'))[0] ?? 0) / heads)
  const keyHeads = Math.floor((rows(inLayerOf(0, 'self_attn.k_proj.weight'))[0] ?? 0) / headSize)
  return { hidden, intermediate, layers: Number(config['num_hidden_layers'] ?? 32), heads, keyHeads, headSize }
}
