// Models with large vocabularies, byte-level BPEs whose tokens are all made by merges, as the large ones are: what planning an output
// vocabulary takes is for their tokenizers, so that their matrices are narrow.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { layoutFile } from '@mk/safetensors'

const width = 16

/**
 * Makes a model folder, unless it is there.
 * @param options `tokens`: of the vocabulary, the first `shared` of them those of every model; `added`: added tokens of its own
 * @returns the folder
 */
export function makeVocabularyModel(models, name, { tokens: count, shared, added, own }) {
  const folder = join(models, name)
  if (existsSync(join(folder, 'model.safetensors'))) return folder
  mkdirSync(folder, { recursive: true })
  const { tokens, merges } = makeTokens(count, shared, own)
  const rows = count + added
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  writeJson(join(folder, 'tokenizer.json'), {
    version: '1.0',
    added_tokens: Array.from({ length: added }, (_, i) => ({ id: count + i, content: `<${name}-${i}>`, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      continuing_subword_prefix: null,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  })
  writeJson(join(folder, 'config.json'), {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: width,
    intermediate_size: width,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    num_key_value_heads: 1,
    vocab_size: rows,
    bos_token_id: 1,
    eos_token_id: [2, 3],
    torch_dtype: 'bfloat16',
    tie_word_embeddings: false,
  })
  const shapes = {
    'model.embed_tokens.weight': [rows, width],
    ...Object.fromEntries(
      [
        'self_attn.q_proj',
        'self_attn.k_proj',
        'self_attn.v_proj',
        'self_attn.o_proj',
        'mlp.gate_proj',
        'mlp.up_proj',
        'mlp.down_proj',
      ].map((module) => [`model.layers.0.${module}.weight`, [width, width]]),
    ),
    'model.layers.0.input_layernorm.weight': [width],
    'model.layers.0.post_attention_layernorm.weight': [width],
    'model.norm.weight': [width],
    'lm_head.weight': [rows, width],
  }
  const tensors = Object.entries(shapes).map(([tensor, shape]) => ({ name: tensor, dtype: 'BF16', shape }))
  const weights = tensors.reduce((sum, { shape }) => sum + 2 * shape.reduce((product, size) => product * size, 1), 0)
  writeFileSync(
    join(folder, 'model.safetensors'),
    Buffer.concat([layoutFile(tensors, { format: 'pt' }).header, Buffer.alloc(weights)]),
  )
  return folder
}

const writeJson = (file, value) => writeFileSync(file, JSON.stringify(value, undefined, 2))

/** Joins tokens at random, from the 256 letters of bytes on; those beyond `shared` by another seed for each `own`. */
function makeTokens(count, shared, own) {
  const tokens = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(0x100 + byte))
  const known = new Set(tokens)
  const merges = []
  let state = 1
  const below = (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  while (tokens.length < count) {
    if (tokens.length === shared) state += own
    const left = tokens[below(Math.min(tokens.length, 3000 + tokens.length / 4))]
    const right = tokens[below(Math.min(tokens.length, 2000))]
    if (left.length + right.length > 14 || known.has(left + right)) continue
    known.add(left + right)
    tokens.push(left + right)
    merges.push([left, right])
  }
  return { tokens, merges }
}
