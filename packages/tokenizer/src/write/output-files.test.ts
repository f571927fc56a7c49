import { describe, expect, it, vi } from 'vitest'
import { bpe, model, union, written } from '../__fixtures__/inputs.ts'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { type LoadedTokenizer, planVocabulary } from '../index.ts'

describe('the files of the output', () => {
  const config = {
    'tokenizer_config.json': { bos_token: '<s>', added_tokens_decoder: { 2: { content: '<s>', special: true } } },
    'added_tokens.json': { '<s>': 2 },
    'special_tokens_map.json': { bos_token: '<s>' },
    'vocab.json': '',
    'merges.txt': '',
    'encoder.json': '',
    'vocab.bpe': '',
    'qwen.tiktoken': '',
    'normalizer.json': '',
  }
  const base = model(smallTokenizer(tokenizerJson(['a', 'b'], ['<s>']), config))

  it('are copies where the vocabulary stays', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b', 'c']), base],
      setting: { kind: 'average-rows', source: { kind: 'model', model: 1 } },
    })
    expect(plan.donor).toBe(1)
    expect(plan.write.size).toBe(0)
    expect(plan.copy).toEqual([
      'tokenizer.json',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'added_tokens.json',
      'vocab.json',
      'merges.txt',
      'qwen.tiktoken',
      'encoder.json',
      'vocab.bpe',
      'normalizer.json',
    ])
  })

  it('list new added tokens wherever the donor’s files do, and leave out other spellings of the vocabulary', () => {
    const plan = planVocabulary({ models: [base, bpe(['a'], ['<x>'])], setting: union })
    expect(plan.copy).toEqual(['special_tokens_map.json', 'normalizer.json'])
    expect(JSON.parse(plan.write.get('tokenizer_config.json')!)).toMatchObject({
      bos_token: '<s>',
      added_tokens_decoder: { 2: { content: '<s>' }, 3: { content: '<x>', special: true } },
    })
    expect(JSON.parse(plan.write.get('added_tokens.json')!)).toEqual({ '<s>': 2, '<x>': 3 })
    expect(plan.notes).toContainEqual({
      code: 'left-out-files',
      files: ['vocab.json', 'merges.txt', 'qwen.tiktoken', 'encoder.json', 'vocab.bpe'],
    })
  })

  it('give added tokens a place in the vocabulary where ordinary tokens come after them', () => {
    const plan = planVocabulary({ models: [base, bpe(['c'])], setting: union })
    expect(written(plan).document.model['vocab']).toEqual({ a: 0, b: 1, '<s>': 2, c: 3 })
  })

  it('keep everything else of tokenizer.json', () => {
    const rest = {
      version: '1.0',
      normalizer: { type: 'NFC' },
      post_processor: { type: 'TemplateProcessing', single: [] },
    }
    const donor = model(smallTokenizer(tokenizerJson(['a'], [], { unk_token: 'a', dropout: null }, rest)))
    const { document } = written(planVocabulary({ models: [donor, bpe(['b'], ['<x>'])], setting: union }))
    expect(document).toMatchObject({ ...rest, decoder: null, model: { unk_token: 'a', dropout: null } })
  })

  it('are valid JSON whatever noncharacters the donor’s tokenizer.json has', () => {
    const marks = ['\uFDD0', '\uFDD1vocab', '\uFDD1merges', '$&']
    const rest = { version: marks, [marks[1]!]: marks[2], [marks[2]!]: { [marks[0]!]: marks[1] } }
    const donor = model(smallTokenizer(tokenizerJson(['a', ...marks], [], { [marks[1]!]: marks[1] }, rest)))
    const { document, ids } = written(planVocabulary({ models: [donor, bpe(['b'], ['<x>'])], setting: union }))
    expect(document).toMatchObject({ ...rest, model: { [marks[1]!]: marks[1], merges: [] } })
    expect([...ids.keys()]).toEqual(['a', ...marks, 'b', '<x>'])
  })

  it('is laid out as JSON.stringify does it, but for the lists of tokens and merges', () => {
    const rest = { version: '1.0', empty: {}, list: [], nested: { a: [1, { b: 'c\nd' }] } }
    const merges = [['a', 'b']]
    const donor = model(smallTokenizer(tokenizerJson(['a', 'b', 'ab'], [], { merges }, rest)))
    const plan = planVocabulary({ models: [donor, bpe(['c'])], setting: union })
    const text = plan.write.get('tokenizer.json')!
    const layout = `${JSON.stringify(JSON.parse(text), undefined, 2)}\n`
    const list = /\[\n +\[\n +"a",\n +"b"\n +\]\n +\]/
    expect(list.test(layout)).toBe(true)
    expect(text).toBe(layout.replace(list, '[\n      ["a","b"]\n    ]'))
  })

  it('makes texts when they are read, once, and tells their names before', () => {
    const donor = model(smallTokenizer(tokenizerJson(['a', '\uD800', '😀"'], [], { merges: [] })))
    const { merges } = donor.tokenizer as LoadedTokenizer
    const reads = vi.fn<() => typeof merges>(() => merges)
    const counted = { ...donor, tokenizer: Object.defineProperty({ ...donor.tokenizer }, 'merges', { get: reads }) }
    const { write } = planVocabulary({ models: [counted as typeof donor, bpe(['c'])], setting: union })
    expect([[...write.keys()], write.size, write.has('tokenizer.json')]).toEqual([['tokenizer.json'], 1, true])
    expect(reads).not.toHaveBeenCalled()
    const [text] = write.values()
    expect(JSON.parse(text!)).toMatchObject({ model: { vocab: { a: 0, '\uD800': 1, '😀"': 2, c: 3 } } })
    const calls = reads.mock.calls.length
    expect(calls).toBeGreaterThan(0)
    const visited: string[] = []
    write.forEach((value, name) => visited.push(name, value))
    expect([visited, [...write]]).toEqual([['tokenizer.json', text], [['tokenizer.json', text]]])
    expect(reads).toHaveBeenCalledTimes(calls)
  })
})
