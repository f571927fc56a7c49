import { describe, expect, it } from 'vitest'
import { checkArchitecture } from './check-architecture.ts'

type Shapes = Readonly<Record<string, readonly number[]>>

const check = (shapes: Shapes, config: Readonly<Record<string, unknown>> | undefined) => {
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const source = { kind: 'file', file: '/w', dtype: 'F32', shape, byteStart: 0 } as const
    return [name, { file: 'w', source }] as const
  })
  return checkArchitecture({ config, tensors: new Map(tensors) })
}
const layer = (index: number, kinds: readonly string[] = ['q_proj', 'o_proj']): Shapes =>
  Object.fromEntries(kinds.map((kind) => [`model.layers.${index}.self_attn.${kind}.weight`, [4, 4]]))
const llama = (layers: number, more: object = {}) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: 4,
  num_attention_heads: 2,
  vocab_size: 8,
  num_hidden_layers: layers,
  ...more,
})
const [embedding, head]: Shapes[] = [{ 'model.embed_tokens.weight': [8, 4] }, { 'lm_head.weight': [8, 4] }]
const ends = { ...embedding, ...head }

describe('the tensors of an output', () => {
  it('are those of its config.json', () => {
    expect(check({ ...ends, ...layer(0), ...layer(1) }, llama(2))).toEqual([])
    expect(check({ ...ends, ...layer(0) }, undefined)).toEqual([])
    expect(check({}, llama(2))).toEqual([])
  })

  it('have other shapes, but for those of a packing', () => {
    const wide = { ...ends, ...layer(0), 'model.layers.0.self_attn.q_proj.weight': [2, 8] }
    expect(check(wide, llama(1))).toEqual([
      {
        code: 'shape',
        isDoubt: false,
        file: 'w',
        tensor: 'model.layers.0.self_attn.q_proj.weight',
        text: 'model.layers.0.self_attn.q_proj.weight is [2, 8], but by config.json it is [4, 4]',
      },
    ])
    expect(check(wide, llama(1, { quantization_config: {} }))).toEqual([])
  })

  it('are of more layers', () => {
    expect(check({ ...ends, ...layer(0), ...layer(1) }, llama(1))).toEqual([
      { code: 'layers', isDoubt: false, text: 'model.layers has 2 layers, but config.json says num_hidden_layers 1' },
    ])
  })

  it('lack an embedding or a head, of language models', () => {
    const missing = (text: string) => [{ code: 'tensor-missing', isDoubt: false, text }]
    expect(check({ ...head, ...layer(0) }, llama(1))).toEqual(missing('there is no token embedding'))
    const untied = llama(1, { tie_word_embeddings: false })
    const noHead = missing('there is no head, and config.json does not tie it to the embedding')
    expect(check({ ...embedding, ...layer(0) }, untied)).toEqual(noHead)
    expect(check({ ...embedding, ...layer(0) }, llama(1, { tie_word_embeddings: true }))).toEqual([])
    const several = { architectures: ['Other', 'LlamaForCausalLM'], tie_word_embeddings: false }
    expect(check({ ...embedding, ...layer(0) }, llama(1, several))).toEqual(noHead)
    for (const architectures of [['LlamaModel'], undefined])
      expect(check(layer(0), llama(1, { architectures }))).toEqual([])
  })

  it('may be meant to lack what all other layers have, from three on', () => {
    const faults = (...layers: readonly Shapes[]) => check(Object.assign({}, ends, ...layers), llama(layers.length))
    expect(faults(layer(0), layer(1, ['q_proj']), layer(2))).toEqual([
      {
        code: 'tensor-missing',
        isDoubt: true,
        tensor: 'model.layers.1.self_attn.o_proj.weight',
        text: 'model.layers.1.self_attn.o_proj.weight is not there, though every other layer of model.layers has one',
      },
    ])
    expect(faults(layer(0), layer(1, ['q_proj']))).toEqual([])
    expect(faults(layer(0), layer(1, ['q_proj']), layer(2, ['q_proj']))).toEqual([])
  })

  it('are not judged where something else fails', () => {
    const config = {
      get model_type(): string {
        throw new TypeError('broken')
      },
    }
    expect(() => check(ends, config)).toThrow('broken')
  })
})
