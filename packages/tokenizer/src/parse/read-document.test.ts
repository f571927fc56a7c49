import { describe, expect, it, vi } from 'vitest'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { issueOf } from '../__fixtures__/inputs.ts'
import { KnownVocabularies, type LoadedTokenizer, parseTokenizer } from '../index.ts'
import { parseBytes, parseText } from './parse-tokenizer-json.ts'
import { SpelledVocabulary } from './spelled-vocabulary.ts'

const none = { config: {}, addedTokensFile: {} }
const encoder = new TextEncoder()

describe('reading tokenizer.json from its bytes', () => {
  it('gives what JSON.parse gives, or leaves the file to it', () => {
    const random = createRandom(7)
    let read = 0
    for (let round = 0; round < 600; round++) {
      const text = randomDocument(random)
      const found = outcome(() => parseBytes(encoder.encode(text), none))
      if (found === undefined) continue
      read++
      expect({ text, found }).toEqual({ text, found: outcome(() => parseText(text, none)) })
    }
    expect(read).toBeGreaterThan(120)
    expect(read).toBeLessThan(520)
  })

  it('leaves what is damaged anywhere to JSON.parse, so that errors are the same', () => {
    const text = `\uFEFF${tokenizerJson(['a', 'é', 'aé', '"', '7'], ['<s>'], { merges: [['a', 'é'], 'a é'] }, { x: ['\t'] })}`
    const bytes = encoder.encode(text)
    expect(parseBytes(bytes, none)).toBeDefined()
    // JSON.parse of Node 24 and 26 takes a key for a backslash that is a quotation mark, once it has read an object that differs in that
    // alone: what makes one of the other comes last.
    const quoted = bytes.findIndex((byte, place) => byte === 0x22 && bytes[place - 1] === 0x5c)
    const places = [...bytes.keys()].toSorted((a, b) => Number(a === quoted) - Number(b === quoted))
    for (const place of places) {
      for (const byte of [0x22, 0xff, 0x5c]) {
        const damaged = bytes.slice()
        damaged[place] = byte
        const expected = outcome(() => parseText(new TextDecoder().decode(damaged), none))
        expect([undefined, expected]).toContainEqual(outcome(() => parseBytes(damaged, none)))
        const cut = outcome(() => parseBytes(bytes.subarray(0, place), none))
        expect(cut).toBeUndefined()
      }
    }
  })

  it('takes a vocabulary that was read before from there, with tokens of its own', () => {
    const known = new KnownVocabularies()
    const read = (text: string) =>
      parseTokenizer(new Map([['tokenizer.json', encoder.encode(text)]]), undefined, known) as LoadedTokenizer
    const merges = [['a', 'b']]
    const tokens = ['a', 'b', 'ab', '12', '3']
    const texts = [
      tokenizerJson(tokens, ['<s>'], { merges }),
      tokenizerJson(tokens, ['<x>', '<y>'], { merges }),
      tokenizerJson(tokens, [], { merges: ['a b'] }),
      tokenizerJson([...tokens, 'c'], ['<s>'], { merges }),
      tokenizerJson(tokens, ['<s>'], { merges }),
      tokenizerJson(tokens, ['<s>'], { merges: [['a', 'c']] }),
    ]
    for (const text of texts.slice(0, -1)) {
      const [shared, alone] = [read(text), smallTokenizer(text)]
      expect([...shared.ids]).toEqual([...alone.ids])
      expect([shared.ids.size, shared.ids.has('<x>'), shared.ids.get('<y>'), shared.ids.get('ab')]).toEqual([
        alone.ids.size,
        alone.ids.has('<x>'),
        alone.ids.get('<y>'),
        2,
      ])
      expect({ ...shared, ids: alone.ids }).toEqual(alone)
    }
    expect(issueOf(() => read(texts.at(-1)!))).toMatchObject({ code: 'merge-out-of-vocabulary', missing: 'c' })
  })

  it('takes what vocabularies and merges begin with from one that was read before, with the same result', () => {
    const random = createRandom(11)
    let [read, began] = [0, 0]
    const shared = vi.spyOn(SpelledVocabulary.prototype, 'countWithin')
    for (let round = 0; round < 120; round++) {
      const known = new KnownVocabularies()
      let lists = randomLists(random)
      for (let model = 0; model < 4; model++) {
        const text = tokenizerJson(lists.tokens, model % 2 === 0 ? ['<s>'] : [], { merges: lists.merges }, {})
        const found = outcome(() => parseBytes(encoder.encode(text), none, known))
        const expected = outcome(() => parseText(text, none))
        if (found !== undefined) read++
        expect({ text, found: found ?? expected }).toEqual({ text, found: expected })
        lists = changeLists(lists, random)
      }
    }
    for (const { value } of shared.mock.results) if (value > 0) began++
    expect(read).toBeGreaterThan(240)
    expect(began).toBeGreaterThan(120)
  })

  it('reads and finds characters of all lengths, and leaves what is no UTF-8 to JSON.parse', () => {
    const edges = [0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff]
    const tokens = ['a', ...edges.map((point) => `a${String.fromCodePoint(point)}`)]
    const { ids } = parseBytes(encoder.encode(tokenizerJson(tokens)), none)!
    expect([...ids.keys()]).toEqual(tokens)
    expect(tokens.map((token) => ids.get(token))).toEqual([...tokens.keys()])
    expect(ids.has('a\uD800')).toBe(false)
    for (const bad of [
      '80',
      'c0 80',
      'c1 bf',
      'e0 9f bf',
      'ed a0 80',
      'ef bf',
      'f0 8f bf bf',
      'f4 90 80 80',
      'f5 80 80 80',
    ]) {
      const bytes = encoder.encode(tokenizerJson(['a', '____', 'b']))
      const place = bytes.indexOf(0x5f)
      const numbers = bad.split(' ').map((byte) => Number.parseInt(byte, 16))
      bytes.set(numbers, place)
      expect([bad, parseBytes(bytes, none)]).toEqual([bad, undefined])
    }
  })

  it('leaves tokens that were chosen so that looking each up takes long to JSON.parse', () => {
    const slotOf = (token: string): number => {
      let hash = 0x811c9dc5 | 0
      for (const byte of encoder.encode(token)) hash = Math.imul(hash ^ byte, 0x01000193)
      return (hash ^ (hash >>> 15)) & 2047
    }
    const chosen: string[] = []
    for (let next = 0; chosen.length < 600; next++) if (slotOf(`t${next}`) === 7) chosen.push(`t${next}`)
    const usual = chosen.map((_, index) => `t${index}`)
    expect(parseBytes(encoder.encode(tokenizerJson(usual)), none)).toBeDefined()
    expect(parseBytes(encoder.encode(tokenizerJson(chosen)), none)).toBeUndefined()
    expect(parseBytes(encoder.encode(tokenizerJson(chosen.slice(0, 300))), none)).toBeDefined()
    expect(smallTokenizer(tokenizerJson(chosen)).ids.get(chosen[599]!)).toBe(599)
  })

  it('sees what is there twice, also where one is of the beginning that was read before', () => {
    for (const [own, issue] of [
      ['"a":9', { code: 'duplicate-token', token: 'a', ids: [0, 9] }],
      ['"\\u0062":9', { code: 'duplicate-token', token: 'b', ids: [1, 9] }],
      ['"new":0', { code: 'duplicate-token-id', id: 0 }],
    ] as const) {
      const known = new KnownVocabularies()
      const bytesOf = (last: string) =>
        encoder.encode(`{"model": {"type": "BPE", "vocab": {"a":0,"b":1,"c":2,"d":3,${last}}, "merges": []}}`)
      expect(parseBytes(bytesOf('"e":4'), none, known)).toBeDefined()
      expect(parseBytes(bytesOf('"f":4'), none, known)!.ids.get('e')).toBeUndefined()
      expect(parseBytes(bytesOf(own), none, known)).toBeUndefined()
      expect(issueOf(() => parseText(new TextDecoder().decode(bytesOf(own)), none))).toMatchObject(issue)
    }
  })
})

interface Lists {
  readonly tokens: readonly string[]
  readonly merges: readonly (readonly string[] | string)[]
}

/** A sound vocabulary with the merges that make most of it. */
function randomLists(random: Random): Lists {
  const tokens = ['a', 'b', '"', 'é', '7'].slice(0, 2 + random(4))
  const merges: (readonly string[] | string)[] = []
  for (let count = random(12); count > 0; count--) {
    const [left, right] = [tokens[random(tokens.length)]!, tokens[random(tokens.length)]!]
    if (tokens.includes(left + right)) continue
    tokens.push(left + right)
    merges.push(random(5) === 0 ? `${left} ${right}` : [left, right])
  }
  return { tokens, merges }
}

/** The same up to some place, with other tokens from there on, or others in between, and merges that go with them or not. */
function changeLists({ tokens, merges }: Lists, random: Random): Lists {
  const place = random(tokens.length + 1)
  const own = ['x', '12', 'y\n', 'ab', tokens[0] ?? 'a'][random(5)]!
  const changed = [
    () => [...tokens, own],
    () => tokens.slice(0, place),
    () => [...tokens.slice(0, place), own],
    () => tokens.map((token, id) => (id === place ? own : token)),
    () => [...tokens.slice(0, place), own, ...tokens.slice(place)],
    () => tokens,
  ][random(6)]!()
  const kept = merges.slice(0, random(3) === 0 ? random(merges.length + 1) : merges.length)
  return { tokens: changed, merges: random(3) === 0 ? [...kept, [tokens[0] ?? 'a', tokens[1] ?? 'z']] : kept }
}

/** What comes of it, in the order in which it comes; an error as what is wrong. */
function outcome(run: () => ReturnType<typeof parseBytes>): unknown {
  let parsed: ReturnType<typeof parseBytes>
  try {
    parsed = run()
  } catch {
    return issueOf(run)
  }
  return (
    parsed && {
      ...parsed,
      document: JSON.stringify(parsed.document),
      ids: [...parsed.ids],
      found: [...parsed.ids.keys(), ...pieces].map((token) => [parsed.ids.get(token), parsed.ids.has(token)]),
      added: [...parsed.added],
      addedOnly: [...parsed.addedOnly],
    }
  )
}

type Random = (below: number) => number

/** Park and Miller's minimal standard generator. */
function createRandom(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state * 48271) % 2147483647
    return state % below
  }
}

const pieces = [
  'a',
  'b',
  'é',
  '😀',
  '\uD83D',
  ' ',
  '"',
  '\\',
  '\n',
  '\0',
  '/',
  '0',
  '7',
  '42',
  '▁',
  '\u2028',
  '__proto__',
  'vocab',
]

/** A tokenizer.json in any layout and spelling, most often sound, and often with something twice, odd or out of place. */
function randomDocument(random: Random): string {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!
  const chance = (one: number): boolean => random(one) === 0
  const space = (): string => (chance(2) ? '' : pick([' ', '\n  ', '\t', '\r\n', '  ']))
  const spelled = (text: string): string => {
    if (chance(6))
      return `"${[...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`
    return chance(8) ? JSON.stringify(text).replaceAll('/', '\\/') : JSON.stringify(text)
  }
  const object = (entries: readonly (readonly [string, string])[]): string =>
    `{${space()}${entries.map(([key, value]) => `${chance(40) ? spelled(key) : JSON.stringify(key)}${space()}:${space()}${value}${space()}`).join(`,${space()}`)}}`
  const list = (values: readonly string[]): string =>
    `[${space()}${values.map((value) => `${value}${space()}`).join(`,${space()}`)}]`

  const letters = Array.from({ length: 2 + random(4) }, () => pick(pieces))
  const tokens = chance(8) ? letters : [...new Set(letters)]
  const merges: string[] = []
  const isText = chance(3)
  for (let count = random(5); count > 0; count--) {
    const [left, right] = [pick(tokens), pick(tokens)]
    if (!tokens.includes(left + right) && !chance(20)) tokens.push(left + right)
    const asText = chance(10) ? !isText : isText
    merges.push(asText ? spelled(`${left} ${right}`) : list([spelled(left), spelled(right)]))
  }
  if (chance(20)) merges.push(pick(['3', '"a"', '["a"]', '["a","b","a"]', '["", "a"]', 'null']))
  const ids = tokens.map((_, id) =>
    String(chance(60) ? pick(['0', '-1', '1.0', '1e0', '99', '01', '2097152', '"1"', 'null']) : id),
  )
  const entries = tokens.map((token, index) => [token, ids[index]!] as const)
  const vocab = `{${space()}${(chance(4) ? entries.toReversed() : entries).map(([token, id]) => `${spelled(token)}${space()}:${space()}${id}${space()}`).join(`,${space()}`)}}`
  const model: (readonly [string, string])[] = [
    [
      'type',
      pick(['"BPE"', '"BPE"', '"BPE"', '"BPE"', '"BPE"', '"WordPiece"', '"WordLevel"', '"Unigram"', '"No"', '1']),
    ],
    ['vocab', chance(30) ? pick(['[]', 'null', '{"a":{}}', '[["a", 1]]']) : vocab],
  ]
  if (chance(10)) model.shift()
  if (!chance(10))
    model.splice(random(model.length + 1), 0, ['merges', chance(30) ? pick(['null', '{}', '"x"']) : list(merges)])
  if (chance(6)) model.push(['continuing_subword_prefix', pick(['null', '""', '"b"', '3'])])
  if (chance(25)) model.push(pick(model))
  const top: (readonly [string, string])[] = [
    ['version', '"1.0"'],
    ['model', object(model)],
  ]
  const added = list(
    chance(3)
      ? []
      : [
          object([
            ['id', String(pick([tokens.length, tokens.length + 3, 0]))],
            ['content', spelled(pick([...pieces, '<s>']))],
            ['special', 'true'],
          ]),
        ],
  )
  top.splice(random(3), 0, ['added_tokens', added])
  if (chance(4))
    top.push([pick(pieces), pick(['{"vocab":{"x":1},"merges":[[]]}', '[[[{}]]]', '"}\\""', '1e5', 'tru', '[1,]'])])
  if (chance(25)) top.push(pick(top))
  return `${chance(10) ? '\uFEFF' : ''}${space()}${object(top)}${space()}${chance(40) ? pick(['x', '{}', ',']) : ''}`
}
