import type { KeyPath, ModelConfig } from './layout.ts'

/** What tensor names and config.json alone can't tell of a family, by `model_type`. */
export interface FamilyFacts {
  /** Whether embeddings are tied where config.json is silent. */
  readonly tied?: boolean
  /** Where the layer count stands or is to be written, by module name, where config.json alone doesn't tell. */
  readonly layerCountKeys?: Readonly<Record<string, readonly KeyPath[]>>
  /** Number of the first layer in tensor names, and how many numbers after the last layer hold something else. */
  readonly numbering?: { readonly first: number; readonly trailing: number }
  /** True where one stored layer is applied many times, so that there is nothing to slice. */
  readonly sharedLayers?: true
  /** Keys whose count is one more than the layers that are stored. */
  readonly countsOneMore?: readonly string[]
  /** Rows of the token embedding that `vocab_size` doesn't count, such as those of image tokens. */
  readonly extraEmbeddingRows?: number
  /** Exceptions to the rule of names, by what the tensor's name contains. */
  readonly positions?: Readonly<Record<string, 'before' | 'after'>>
}

const tied: FamilyFacts = { tied: true }
const untied: FamilyFacts = { tied: false }
const gemma3n: FamilyFacts = {
  tied: true,
  positions: { altup_projections: 'before', per_layer_model_projection: 'before', per_layer_projection_norm: 'before' },
}

/** Tied-by-default values are those of the configuration classes in transformers 4.57. */
const families: Readonly<Record<string, FamilyFacts>> = {
  albert: { tied: true, sharedLayers: true },
  apertus: untied,
  arcee: untied,
  aya_vision: tied,
  baichuan: untied,
  bart: tied,
  bert: tied,
  blenderbot: tied,
  bloom: tied,
  camembert: tied,
  chatglm: untied,
  codegen: untied,
  cohere: tied,
  cohere2: tied,
  dbrx: untied,
  deberta: tied,
  'deberta-v2': tied,
  deepseek: untied,
  deepseek_v2: untied,
  deepseek_v3: untied,
  distilbert: tied,
  electra: tied,
  exaone: untied,
  falcon: tied,
  falcon_mamba: tied,
  gemma: tied,
  gemma2: tied,
  gemma3: tied,
  gemma3_text: tied,
  gemma3n,
  gemma3n_text: gemma3n,
  glm4: untied,
  glm4_moe: untied,
  gpt2: tied,
  gpt_bigcode: tied,
  gpt_neo: tied,
  gpt_neox: untied,
  gpt_oss: untied,
  gptj: untied,
  granite: untied,
  granitemoe: untied,
  granitemoehybrid: untied,
  internlm2: untied,
  jais: tied,
  jamba: untied,
  lfm2: { tied: true, positions: { embedding_norm: 'after' } },
  lfm2_moe: { tied: true, positions: { embedding_norm: 'after' } },
  llama: untied,
  llama4: untied,
  llama4_text: untied,
  mamba: tied,
  mamba2: untied,
  marian: tied,
  mask2former: { countsOneMore: ['decoder_layers'] },
  mbart: tied,
  mistral: untied,
  mistral3: untied,
  mixtral: untied,
  'mixformer-sequential': { tied: false, numbering: { first: 1, trailing: 1 } },
  mllama: { extraEmbeddingRows: 8 },
  mllama_text_model: { extraEmbeddingRows: 8 },
  modernbert: tied,
  mpt: tied,
  mt5: { tied: false, layerCountKeys: { decoder: [['num_decoder_layers']] } },
  nemotron: untied,
  olmo: untied,
  olmo2: untied,
  olmoe: untied,
  oneformer: { countsOneMore: ['decoder_layers'] },
  opt: tied,
  pegasus: tied,
  pi0: { layerCountKeys: { gemma_expert: [['dit_config', 'num_hidden_layers']] } },
  persimmon: untied,
  phi: untied,
  'phi-msft': untied,
  phi3: untied,
  phi3small: tied,
  qwen: untied,
  qwen2: untied,
  qwen2_5_vl: untied,
  qwen2_moe: untied,
  qwen2_vl: untied,
  qwen3: untied,
  qwen3_moe: untied,
  qwen3_next: untied,
  qwen3_vl: untied,
  qwen3_vl_moe: untied,
  roberta: tied,
  rwkv: untied,
  smollm3: tied,
  solar: untied,
  stablelm: untied,
  stablelm_epoch: untied,
  starcoder2: tied,
  t5: { tied: true, layerCountKeys: { decoder: [['num_decoder_layers']] } },
  umt5: { tied: true, layerCountKeys: { decoder: [['num_decoder_layers']] } },
  whisper: tied,
  xglm: tied,
  'xlm-roberta': tied,
  xlnet: tied,
}

const none: FamilyFacts = {}

export function familyFacts(family: string | undefined): FamilyFacts {
  return family !== undefined && Object.hasOwn(families, family) ? families[family]! : none
}

/** `model_type` as a configuration or a part of one says it. */
export function familyOf(config: ModelConfig | undefined): string | undefined {
  const type = config?.['model_type']
  return typeof type === 'string' ? type : undefined
}

/** What a key says beyond the layers that are stored. */
export function countedBeyond(key: string | undefined, family: string | undefined): number {
  return key !== undefined && familyFacts(family).countsOneMore?.includes(key) === true ? 1 : 0
}
