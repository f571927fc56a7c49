import { type LoadedTokenizer, parseTokenizer } from '@mk/tokenizer'
import { describe, expect, it } from 'vitest'
import { findSplitNumber } from './compare-numbers.ts'
import { createFinder, matchTokens } from './match-tokens.ts'
import { createSplitter, splitTokens } from './split-texts.ts'
import { byteLevelBytes, listMeanings, spaceMarks } from './token-text.ts'

interface Parts {
  readonly tokens: readonly string[]
  readonly added?: readonly string[]
  readonly special?: Readonly<Record<string, string>>
  readonly steps?: object
  readonly model?: object
}

function tokenizerOf({ tokens, added = [], special = {}, steps = {}, model = {} }: Parts): LoadedTokenizer {
  const text = JSON.stringify({
    added_tokens: added.map((content, index) => ({
      id: tokens.length + index,
      content,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })),
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...steps,
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges: [], ...model },
  })
  const files = new Map([
    ['tokenizer.json', text],
    ['tokenizer_config.json', JSON.stringify(special)],
  ])
  return parseTokenizer(files) as LoadedTokenizer
}

const byteLevel = {
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  decoder: { type: 'ByteLevel' },
}
const metaspace = {
  pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
  decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: true },
}
const llama2 = {
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
}
/** As byte-level tokenizers write a text. */
const shown = (text: string) => {
  const marks = new Map([...byteLevelBytes()].map(([mark, byte]) => [byte, mark]))
  return Array.from(new TextEncoder().encode(text), (byte) => marks.get(String.fromCharCode(byte))).join('')
}

const match = (model: Parts, donor: Parts, kinds = { byte: false, prefix: false }) => {
  const [own, other] = [listMeanings(tokenizerOf(model)), listMeanings(tokenizerOf(donor))]
  const found = matchTokens(other, createFinder(own), kinds)
  return Object.fromEntries(
    other.map(({ token }, index) => {
      const one = found[index]!
      return [token, one.kind === 'new' ? 'new' : `${one.kind} ${own.find(({ id }) => id === one.model)!.token}`]
    }),
  )
}

describe('the same token', () => {
  const model = {
    tokens: [' hello', 'hello', 'é', ' é', '日本', '  '].map((text) => text.replaceAll(' ', '▁')),
    steps: metaspace,
  }

  it('is found by its text between byte-level and sentencepiece vocabularies', () => {
    const donor = { tokens: [' hello', 'hello', 'é', ' é', '日本', '  ', 'hell', '\n'].map(shown), steps: byteLevel }
    expect(match(model, donor)).toEqual({
      Ġhello: 'exact ▁hello',
      hello: 'exact hello',
      'Ã©': 'exact é',
      'ĠÃ©': 'exact ▁é',
      [shown('日本')]: 'exact 日本',
      ĠĠ: 'exact ▁▁',
      hell: 'new',
      Ċ: 'new',
    })
    expect(Object.values(match(donor, model)).every((found) => found.startsWith('exact'))).toBe(true)
  })

  it('is found in a vocabulary that replaces spaces itself, or marks what goes on', () => {
    expect(match(model, { tokens: ['▁hello', 'é'], steps: llama2 })).toEqual({ '▁hello': 'exact ▁hello', é: 'exact é' })
    const pieces = {
      tokens: ['hello', '##hello'],
      steps: { decoder: { type: 'WordPiece', prefix: '##' } },
      model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100 },
    }
    expect(match(model, pieces)).toEqual({ hello: 'exact ▁hello', '##hello': 'exact hello' })
    expect(spaceMarks(llama2)).toEqual(['▁'])
  })

  it('is told by its role, or by its name, where it is special', () => {
    const own = {
      tokens: ['a'],
      added: ['<s>', '</s>', '<pad>', '<mask>'],
      special: { bos_token: '<s>', eos_token: '</s>', pad_token: '<pad>' },
    }
    const donor = {
      tokens: ['a', '<mask>'],
      added: ['<|end|>', '<pad>', '<|begin|>', '<sep>'],
      special: { bos_token: '<|begin|>', eos_token: '<|end|>', pad_token: '<pad>', sep_token: '<sep>' },
    }
    expect(match(own, donor)).toEqual({
      a: 'exact a',
      '<mask>': 'exact <mask>',
      '<|end|>': 'exact </s>',
      '<pad>': 'exact <pad>',
      '<|begin|>': 'exact <s>',
      '<sep>': 'new',
    })
  })
})

describe('other matches', () => {
  it('takes bytes for texts of one byte, and the reverse, but never half of a character for one', () => {
    const own = { tokens: ['<0x41>', '<0xE9>', 'b', '▁'], steps: llama2, model: { byte_fallback: true } }
    const donor = { tokens: ['A', 'é', 'Ã©', '<0x41>'], steps: byteLevel }
    const byte = { byte: true, prefix: false }
    expect(match(own, donor, byte)).toEqual({ A: 'byte <0x41>', é: 'byte <0xE9>', 'Ã©': 'new', '<0x41>': 'new' })
    expect(match(donor, own, byte)).toEqual({ '<0x41>': 'byte A', '<0xE9>': 'byte é', b: 'new', '▁': 'new' })
  })

  it('takes the longest beginning, of a word that begins never its space alone', () => {
    const own = { tokens: ['▁', 'in', '▁in', '▁int', 'i', '日'], steps: metaspace }
    const donor = {
      tokens: ['integer', ' integer', ' other', '日本', '月日'].map(shown),
      added: ['integral>'],
      special: { mask_token: 'integral>' },
      steps: byteLevel,
    }
    expect(match(own, donor, { byte: false, prefix: true })).toEqual({
      integer: 'prefix in',
      Ġinteger: 'prefix ▁int',
      Ġother: 'new',
      [shown('日本')]: 'prefix 日',
      [shown('月日')]: 'new',
      'integral>': 'new',
    })
  })
})

describe('pieces', () => {
  const model = {
    tokens: ['▁', 'a', 'b', '▁a', 'c', '<0xE6>', '<unk>'],
    steps: metaspace,
    model: { merges: [['▁', 'a']], unk_token: '<unk>', byte_fallback: true },
  }
  const tokenizer = tokenizerOf(model)
  const splitter = createSplitter(tokenizer)

  it('are those of the text alone, without the space that the tokenizer would put before it', () => {
    const donor = listMeanings(
      tokenizerOf({ tokens: [' ab', 'ab'].map(shown), added: ['ac'], special: { sep_token: 'ac' }, steps: byteLevel }),
    )
    const { starts, ids } = splitTokens(donor, splitter, { idOfByte: () => undefined, rows: 7 })
    expect([starts, ids]).toEqual([
      [0, 2, 4, 6],
      [3, 2, 1, 2, 1, 4],
    ])
  })

  it('are bytes where the token is no text by itself, and never beyond the matrix', () => {
    const half = listMeanings(tokenizerOf({ tokens: [shown('日')[0]!, 'c'], steps: byteLevel }))
    const idOfByte = (byte: string) => (byte === '\u00e6' ? 5 : undefined)
    expect(splitTokens(half, splitter, { idOfByte, rows: 7 })).toEqual({ starts: [0, 1, 2], ids: [5, 4] })
    expect(splitTokens(half, splitter, { idOfByte, rows: 4 })).toEqual({ starts: [0, 0, 0], ids: [] })
  })
})

it('finds a number that is split otherwise', () => {
  const digits = [...'0123456789']
  const reader = (parts: Parts) => {
    const tokenizer = tokenizerOf(parts)
    return { splitter: createSplitter(tokenizer), tokens: listMeanings(tokenizer) }
  }
  const single = reader({ tokens: digits, steps: metaspace })
  const paired = reader({ tokens: [...digits, '42'], steps: byteLevel, model: { merges: [['4', '2']] } })
  expect(findSplitNumber(single, paired)).toEqual({ number: '42', model: '4 2', donor: '42' })
  expect(findSplitNumber(single, single)).toBeUndefined()
  expect(findSplitNumber(single, reader({ tokens: ['7'], steps: byteLevel }))).toBeUndefined()
})
