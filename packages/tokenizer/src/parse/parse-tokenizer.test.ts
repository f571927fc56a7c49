import { describe, expect, it } from 'vitest'
import { issueOf } from '../__fixtures__/inputs.ts'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { parseTokenizer } from '../index.ts'

const parse = (text: string, others: Record<string, string> = {}) =>
  parseTokenizer(new Map([['tokenizer.json', text], ...Object.entries(others)]))

describe('parseTokenizer', () => {
  it('reads tokens, ids and flags', () => {
    const tokenizer = smallTokenizer(
      tokenizerJson(['a', 'b', 'ab'], ['<s>', { content: '<t>', special: false, lstrip: true }], { merges: ['a b'] }),
    )
    expect([...tokenizer.ids]).toEqual([
      ['a', 0],
      ['b', 1],
      ['ab', 2],
      ['<s>', 3],
      ['<t>', 4],
    ])
    expect(tokenizer.added.get('<t>')).toEqual({
      id: 4,
      content: '<t>',
      special: false,
      normalized: false,
      lstrip: true,
      rstrip: false,
      single_word: false,
    })
    expect([...tokenizer.addedOnly]).toEqual(['<s>', '<t>'])
  })

  it('takes flags that are not given as the tokenizers library does', () => {
    const { added } = smallTokenizer(
      JSON.stringify({
        added_tokens: [
          { id: 1, content: '<a>', special: true },
          { id: 2, content: 'b' },
        ],
        model: { type: 'BPE', vocab: { x: 0 }, merges: [] },
      }),
    )
    expect([added.get('<a>')!.normalized, added.get('b')!.normalized]).toEqual([false, true])
  })

  it('tells the kinds apart', () => {
    const kind = (model: object, rest: object = {}) => parse(JSON.stringify({ model, ...rest })).kind
    const vocab = { a: 0 }
    expect(kind({ type: 'BPE', vocab, merges: [] })).toBe('bpe')
    expect(
      kind(
        { type: 'BPE', vocab, merges: [] },
        { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split' }, { type: 'ByteLevel' }] } },
      ),
    ).toBe('byte-level-bpe')
    expect(kind({ type: 'Unigram', vocab: [['a', -1]] })).toBe('unigram')
    expect(kind({ type: 'WordPiece', vocab })).toBe('wordpiece')
    expect(kind({ type: 'WordLevel', vocab })).toBe('wordlevel')
  })

  it('tells the kinds of files without a type by their keys', () => {
    const kind = (model: object) => parse(JSON.stringify({ model })).kind
    expect(kind({ vocab: { a: 0 }, merges: [] })).toBe('bpe')
    expect(kind({ vocab: [['a', 0]] })).toBe('unigram')
    expect(kind({ vocab: { a: 0 }, max_input_chars_per_word: 100 })).toBe('wordpiece')
    expect(kind({ vocab: { a: 0 } })).toBe('wordlevel')
  })

  it('reads a file that starts with a byte order mark', () => {
    expect(parse(`\uFEFF${tokenizerJson(['a'])}`).kind).toBe('bpe')
  })

  it('keeps tokens that JavaScript objects treat in their own way', () => {
    const { ids } = smallTokenizer(
      '{"model":{"type":"BPE","merges":[],"vocab":{"__proto__":0,"constructor":1,"10":2,"9":3,"toString":4}}}',
    )
    expect([...ids].sort((a, b) => a[1] - b[1])).toEqual([
      ['__proto__', 0],
      ['constructor', 1],
      ['10', 2],
      ['9', 3],
      ['toString', 4],
    ])
  })

  it('finds added tokens that only the other files know', () => {
    const tokenizer = smallTokenizer(tokenizerJson(['a']), {
      'tokenizer_config.json': { added_tokens_decoder: { 1: { content: '<c>', special: true } } },
      'added_tokens.json': { '<d>': 2 },
    })
    expect([tokenizer.added.get('<c>')!.id, tokenizer.added.get('<d>')!.id]).toEqual([1, 2])
  })

  it('goes by tokenizer.json where another file contradicts it, and says so', () => {
    const tokenizer = smallTokenizer(tokenizerJson(['a'], ['<b>']), {
      'tokenizer_config.json': { added_tokens_decoder: { 1: { content: '<renamed>' } } },
    })
    expect(tokenizer.ids.has('<renamed>')).toBe(false)
    expect(tokenizer.notes).toEqual([
      'tokenizer_config.json gives the id 1 to "<renamed>", tokenizer.json to "<b>", which counts',
    ])
  })

  it('reads special tokens as strings and as objects, tokenizer_config.json first', () => {
    const { specialTokens } = smallTokenizer(tokenizerJson(['a']), {
      'tokenizer_config.json': { bos_token: { content: '<s>' }, pad_token: null },
      'special_tokens_map.json': { bos_token: '<old>', eos_token: '</s>' },
    })
    expect([...specialTokens]).toEqual([
      ['bos_token', '<s>'],
      ['eos_token', '</s>'],
    ])
  })

  it('says what there is where there is no tokenizer.json', () => {
    expect(parseTokenizer(new Map())).toMatchObject({ kind: 'missing', files: [] })
    expect(
      parseTokenizer(
        new Map([
          ['vocab.json', ''],
          ['merges.txt', ''],
        ]),
      ),
    ).toMatchObject({ kind: 'missing', files: ['vocab.json', 'merges.txt'] })
    expect(parseTokenizer(new Map([['tokenizer.model', 'abc']]))).toMatchObject({
      kind: 'sentencepiece-only',
      fingerprint: 'abc',
    })
  })

  it('allows holes in the ids', () => {
    expect(smallTokenizer(tokenizerJson([], [], { vocab: { a: 0, b: 5 } })).ids.get('b')).toBe(5)
  })

  it('allows merges of WordPiece-like BPE', () => {
    expect(
      parse(tokenizerJson(['a', '##b', 'ab'], [], { merges: [['a', '##b']], continuing_subword_prefix: '##' })).kind,
    ).toBe('bpe')
  })
})

describe('parseTokenizer refuses', () => {
  it.each(['', '{', 'null', '[]', '"tokenizer"', '{"model": {}}x', '\u0000'])('%j', (text) => {
    expect(['tokenizer-not-json', 'tokenizer-shape']).toContain(issueOf(() => parse(text)).code)
  })

  it('a damaged file beside tokenizer.json, by name', () => {
    expect(issueOf(() => parse(tokenizerJson(['a']), { 'tokenizer_config.json': '{' }))).toMatchObject({
      code: 'tokenizer-not-json',
      file: 'tokenizer_config.json',
    })
  })

  it.each<[string, object]>([
    ['model', {}],
    ['model.vocab', { model: { type: 'BPE', vocab: ['a'] } }],
    ['model.vocab', { model: { type: 'Unigram', vocab: { a: 0 } } }],
    ['model.vocab[1]', { model: { type: 'Unigram', vocab: [['a', 0], ['b']] } }],
    ['model.merges', { model: { type: 'BPE', vocab: {}, merges: 'a b' } }],
    ['added_tokens', { added_tokens: {}, model: { type: 'BPE', vocab: {} } }],
    ['added_tokens[0]', { added_tokens: ['<s>'], model: { type: 'BPE', vocab: {} } }],
  ])('a wrong %s', (path, document) => {
    expect(issueOf(() => parse(JSON.stringify(document)))).toMatchObject({ code: 'tokenizer-shape', path })
  })

  it('an unknown model type', () => {
    expect(issueOf(() => parse('{"model":{"type":"Neural"}}'))).toMatchObject({
      code: 'unknown-model-type',
      type: 'Neural',
    })
  })

  it.each(['-1', '1.5', '"0"', 'null', '16777216', '1e400', '{}'])('the id %s', (id) => {
    expect(issueOf(() => parse(`{"model":{"type":"BPE","merges":[],"vocab":{"a":${id}}}}`))).toMatchObject({
      code: 'bad-token-id',
      token: 'a',
    })
  })

  it('one id for two tokens', () => {
    expect(issueOf(() => parse(tokenizerJson([], [], { vocab: { a: 0, b: 0 } })))).toMatchObject({
      code: 'duplicate-token-id',
      id: 0,
      tokens: ['a', 'b'],
    })
    expect(issueOf(() => parse(tokenizerJson(['a'], [{ content: '<s>', id: 0 }])))).toMatchObject({
      code: 'duplicate-token-id',
      tokens: ['a', '<s>'],
    })
  })

  it('one token with two ids', () => {
    expect(issueOf(() => parse(tokenizerJson(['a'], [{ content: 'a', id: 1 }])))).toMatchObject({
      code: 'duplicate-token',
      token: 'a',
      ids: [0, 1],
    })
    expect(issueOf(() => parse(tokenizerJson(['a'], ['<s>', '<s>'])))).toMatchObject({
      code: 'duplicate-token',
      token: '<s>',
    })
    expect(issueOf(() => parse('{"model":{"type":"BPE","merges":[],"vocab":{"a":0,"b\\"":1,"a":2}}}'))).toMatchObject({
      code: 'duplicate-token',
      token: 'a',
      ids: [0, 2],
    })
    expect(
      issueOf(() =>
        parse(
          JSON.stringify({
            model: {
              type: 'Unigram',
              vocab: [
                ['a', 0],
                ['a', -1],
              ],
            },
          }),
        ),
      ),
    ).toMatchObject({ code: 'duplicate-token', token: 'a', ids: [0, 1] })
  })

  it.each(['a', 'a b c', ['a'], ['a', 1], 7, null])('the merge %j', (merge) => {
    expect(issueOf(() => parse(tokenizerJson(['a', 'b', 'c'], [], { merges: [merge] })))).toMatchObject({
      code: 'malformed-merge',
      index: 0,
    })
  })

  it.each([[['', 'a']], [['a', '']], [' a']])('the merge %j, which goes round in a circle', (merge) => {
    expect(issueOf(() => parse(tokenizerJson(['a', ''], [], { merges: [merge] })))).toMatchObject({
      code: 'merge-cycle',
      index: 0,
    })
  })

  it.each<[string, string]>([
    ['a z', 'z'],
    ['z a', 'z'],
    ['b a', 'ba'],
  ])('the merge %j, for the want of %j', (merge, missing) => {
    expect(issueOf(() => parse(tokenizerJson(['a', 'b', 'ab'], [], { merges: ['a b', merge] })))).toMatchObject({
      code: 'merge-out-of-vocabulary',
      index: 1,
      missing,
    })
  })

  it('with a message that says where, what and what to do', () => {
    expect(() => parse(tokenizerJson(['a'], [], { merges: ['a b'] }))).toThrow(
      'tokenizer.json: merge 0, "a b", needs the token "b", which the vocabulary lacks',
    )
  })
})
