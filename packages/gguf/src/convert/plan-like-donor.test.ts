import { describe, expect, it } from 'vitest'
import type { GgufMetadata, GgufValue } from '../metadata.ts'
import { explainConversionNotice } from './notices.ts'
import { type DonorRequest, planLikeDonor } from './plan-like-donor.ts'

const text = (value: string): GgufValue => ({ type: 'string', value })
const uint32 = (value: number): GgufValue => ({ type: 'uint32', value })
const array = (values: readonly number[]): GgufValue => ({ type: 'array', elementType: 'uint32', values })

const donor = (architecture = 'what', more: readonly [string, GgufValue][] = []): GgufMetadata =>
  new Map([
    ['general.architecture', text(architecture)],
    ['general.name', text('Donor')],
    ['general.file_type', uint32(15)],
    [`${architecture}.block_count`, uint32(3)],
    [`${architecture}.feed_forward_length`, array([10, 20, 30])],
    [`${architecture}.rope.dimension_sections`, array([1, 2, 3])],
    ['tokenizer.ggml.three', array([7, 8, 9])],
    ['quantize.imatrix.file', text('x')],
    ...more,
  ])

const request = (more: Partial<DonorRequest> = {}): DonorRequest => ({
  metadata: donor(),
  tensors: [
    { name: 'token_embd.weight', shape: [4, 32], type: 'Q4_K' },
    { name: 'blk.0.ffn_gate_inp.weight', shape: [2, 32], type: 'F32' },
    { name: 'ids.weight', shape: [4, 32], type: 'I32' },
  ],
  layers: [0, 1, 2].map((layer) => ({ metadata: donor(), layer })),
  type: 'Q8_0',
  name: 'Merged',
  ...more,
})
const said = (more?: Partial<DonorRequest>) => Object.fromEntries(planLikeDonor(request(more)).plan.metadata)

describe('planLikeDonor', () => {
  it('says what the donor does, but for name, size and types', () => {
    expect(said()).toEqual({
      ...Object.fromEntries([...donor()].filter(([key]) => key !== 'quantize.imatrix.file')),
      'general.name': text('Merged'),
      'general.size_label': text('0.32K'),
      'general.file_type': uint32(7),
      'general.quantization_version': uint32(2),
    })
  })

  it('says of each layer what was said of it where it comes from', () => {
    const other = donor('what', [['what.feed_forward_length', array([11, 21, 31])]])
    const layers = [
      { metadata: donor(), layer: 0 },
      { metadata: other, layer: 2 },
      { metadata: donor('what', [['what.feed_forward_length', uint32(5)]]), layer: 1 },
      { metadata: donor(), layer: 2 },
    ]
    expect(said({ layers })).toMatchObject({
      'what.block_count': uint32(4),
      'what.feed_forward_length': array([10, 31, 5, 30]),
      'what.rope.dimension_sections': array([1, 2, 3]),
      'tokenizer.ggml.three': array([7, 8, 9]),
    })
  })

  it('keeps integers, and in full what the donor has in full among what is quantized', () => {
    const typesOf = (more?: Partial<DonorRequest>) =>
      planLikeDonor(request(more)).plan.tensors.map(({ name, type, content }) => [name, type, content])
    const rows = (source: string) => ({ kind: 'rows', parts: [{ source }] })
    expect(typesOf()).toEqual([
      ['token_embd.weight', undefined, rows('token_embd.weight')],
      ['blk.0.ffn_gate_inp.weight', 'F32', rows('blk.0.ffn_gate_inp.weight')],
      ['ids.weight', 'I32', rows('ids.weight')],
    ])
    const inFull = [{ name: 'a.weight', shape: [2, 32], type: 'F32' }] as const
    expect(typesOf({ tensors: inFull })).toEqual([['a.weight', undefined, rows('a.weight')]])
  })

  it('tells where layers are computed by their numbers and have moved', () => {
    const gemma = donor('gemma2')
    const notices = (numbers: readonly number[]) =>
      planLikeDonor(request({ metadata: gemma, layers: numbers.map((layer) => ({ metadata: gemma, layer })) })).notices
    expect(notices([0, 1, 2])).toEqual([])
    expect(notices([0, 2]).map(explainConversionNotice)).toEqual([
      expect.stringMatching(/layers of gemma2 differently/),
    ])
  })

  it('refuses donors that say too little', () => {
    const code = expect.objectContaining({ code: 'gguf-donor' })
    expect(() => said({ metadata: new Map() })).toThrow(code)
    expect(() => said({ metadata: new Map([['general.architecture', text('a')]]) })).toThrow(code)
    const layers = [{ metadata: new Map([['what.block_count', uint32(9)]]), layer: 7 }]
    expect(() => said({ layers })).toThrow("'what.feed_forward_length'; expected a value for layer 7")
  })
})
