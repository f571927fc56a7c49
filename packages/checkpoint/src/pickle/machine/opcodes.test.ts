import { describe, expect, test } from 'vitest'
import { cursorOf } from '../__fixtures__/cursor-of.ts'
import { call, concat, global, int, str, uint } from '../__fixtures__/pickle-bytes.ts'
import type { PickleValue } from './pickle-value.ts'
import { pickleLimits, unpickle } from './unpickle.ts'

type Parts = readonly (Uint8Array | readonly number[] | string)[]

const scope = {
  globals: new Map([
    ['m.f', { kind: 'global', name: 'm.f', call: (args: readonly PickleValue[]) => args.length } as const],
  ]),
  persistent: (id: PickleValue) => (typeof id === 'string' ? id.toUpperCase() : undefined),
}
const valueOf = (...parts: Parts) => unpickle(cursorOf(concat([0x80, 2], ...parts, '.')), scope)
const tuple = (...items: PickleValue[]): PickleValue => ({ kind: 'tuple', items })
const list = (...items: PickleValue[]): PickleValue => ({ kind: 'list', items })
const set = (...items: PickleValue[]) => ({ kind: 'set', items })
const dict = (...entries: [PickleValue, PickleValue][]) => ({ kind: 'dict', entries: new Map(entries) })
const one = 'K\x01'
const two = 'K\x02'
const three = 'K\x03'

/** As Python's pickle module reads them. */
const cases: readonly [string, Parts, unknown][] = [
  ['FRAME', [[0x95], uint(1, 8), 'N'], null],
  ['NONE', ['N'], null],
  ['NEWTRUE', [[0x88]], true],
  ['NEWFALSE', [[0x89]], false],
  ['BININT', ['J', [0xfe, 0xff, 0xff, 0xff]], -2],
  ['BININT of four bytes', ['J', [1, 2, 3, 4]], 0x04030201],
  ['BININT1', ['K', [0xff]], 255],
  ['BININT2', ['M', [1, 2]], 0x0201],
  ['LONG1', [[0x8a, 2, 0xff, 0xff]], -1],
  ['LONG1 of nothing', [[0x8a, 0]], 0],
  ['LONG1 of 2^53 - 1', [[0x8a, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]], 2 ** 53 - 1],
  ['LONG1 of 2^53', [[0x8a, 7, 0, 0, 0, 0, 0, 0, 0x20]], 2n ** 53n],
  ['LONG4', [[0x8b], uint(3, 4), [1, 0, 1]], 65_537],
  ['BINFLOAT', ['G', [0x3f, 0xf8, 0, 0, 0, 0, 0, 0]], 1.5],
  ['BINUNICODE', ['X', uint(2, 4), [0xc3, 0xa4]], 'ä'],
  [
    'SHORT_BINUNICODE',
    [
      [0x8c, 2],
      [0xc3, 0xa4],
    ],
    'ä',
  ],
  ['BINUNICODE8', [[0x8d], uint(2, 8), [0xc3, 0xa4]], 'ä'],
  ['BINSTRING', ['T', uint(2, 4), [0x61, 0xe4]], 'aä'],
  ['SHORT_BINSTRING', ['U', [2, 0x61, 0xe4]], 'aä'],
  ['BINBYTES', ['B', uint(2, 4), [1, 2]], Uint8Array.of(1, 2)],
  ['SHORT_BINBYTES', ['C', [2, 1, 2]], Uint8Array.of(1, 2)],
  ['BINBYTES8', [[0x8e], uint(2, 8), [1, 2]], Uint8Array.of(1, 2)],
  ['EMPTY_TUPLE', [')'], tuple()],
  ['TUPLE1', [one, [0x85]], tuple(1)],
  ['TUPLE2', [one, two, [0x86]], tuple(1, 2)],
  ['TUPLE3', [one, two, three, [0x87]], tuple(1, 2, 3)],
  ['TUPLE', ['(', one, two, three, one, 't'], tuple(1, 2, 3, 1)],
  ['EMPTY_LIST', [']'], list()],
  ['LIST', ['(', one, two, 'l'], list(1, 2)],
  ['APPEND', [']', one, 'a', two, 'a'], list(1, 2)],
  ['APPENDS', ['](', one, two, 'e(', three, one, 'e'], list(1, 2, 3, 1)],
  ['EMPTY_DICT', ['}'], dict()],
  ['DICT', ['(', one, two, three, one, 'd'], dict([1, 2], [3, 1])],
  ['SETITEM', ['}', one, two, 's', three, one, 's'], dict([1, 2], [3, 1])],
  ['SETITEMS', ['}(', one, two, three, one, 'u'], dict([1, 2], [3, 1])],
  ['SETITEMS of the same key', ['}(', one, two, one, three, 'u'], dict([1, 3])],
  ['EMPTY_SET', [[0x8f]], set()],
  ['FROZENSET', ['(', one, two, [0x91]], set(1, 2)],
  ['ADDITEMS', [[0x8f], '(', one, two, [0x90], '(', three, [0x90]], set(1, 2, 3)],
  ['POP', [one, two, '0'], 1],
  ['POP of a mark', [one, '(0'], 1],
  ['POP_MARK', [one, '(', two, three, '1'], 1],
  ['DUP', [one, '2', [0x86]], tuple(1, 1)],
  ['BINPUT and BINGET', [one, 'q\x07', two, 'h\x07', [0x86]], tuple(2, 1)],
  ['LONG_BINPUT and LONG_BINGET', [one, 'r', uint(300, 4), two, 'j', uint(300, 4), [0x86]], tuple(2, 1)],
  ['MEMOIZE', [one, [0x94], two, [0x94], 'h\x00h\x01', [0x86]], tuple(1, 2)],
  ['GLOBAL and REDUCE', [call(global('m', 'f'), int(5), int(6))], 2],
  ['STACK_GLOBAL and NEWOBJ', [str('m'), str('f'), [0x93], ')', [0x81]], 0],
  ['BUILD of a dict', ['}', one, 'b'], dict()],
  ['BINPERSID', [str('id'), 'Q'], 'ID'],
]

describe('each opcode does what it does in Python', () => {
  test.each(cases)('%s', (_, parts, value) => {
    expect(valueOf(...parts)).toEqual(value)
  })

  test('a list that is put aside is the same list', () => {
    expect(valueOf(']q\x00', one, 'ah\x00', [0x86])).toEqual(tuple(list(1), list(1)))
    const items = (valueOf(']q\x00h\x00', [0x86]) as { items: unknown[] }).items
    expect(items[0]).toBe(items[1])
  })

  test('bytes that were read stay what they were', () => {
    expect(valueOf('C', [1, 7], 'C', [1, 8], [0x86])).toEqual(tuple(Uint8Array.of(7), Uint8Array.of(8)))
  })
})

describe('what an opcode lacks', () => {
  test.each<[string, Parts, string, string]>([
    ['POP', ['0'], "'0'", 'a value'],
    ['DUP', ['2'], "'2'", 'a value'],
    ['DUP above a mark', [one, '(2'], "'2'", 'a value'],
    ['TUPLE1', [[0x85]], '0x85', '1 values'],
    ['TUPLE2 of one', [one, [0x86]], '0x86', '2 values'],
    ['TUPLE3 across a mark', [one, '(', two, three, [0x87]], '0x87', '3 values'],
    ['TUPLE', [one, 't'], "'t'", 'a mark'],
    ['APPEND to a tuple', [')', one, 'a'], "'a'", 'a list'],
    ['ADDITEMS to a list', ['](', one, [0x90]], '0x90', 'a set'],
    ['SETITEM to a list', [']', one, two, 's'], "'s'", 'a dict'],
    ['SETITEMS of three', ['}(', one, two, three, 'u'], "'u'", 'a value for every key'],
    ['DICT of one', ['(', one, 'd'], "'d'", 'a value for every key'],
    ['BUILD of a list', [']', one, 'b'], "'b'", 'a dict'],
    ['REDUCE without a tuple', [global('m', 'f'), one, 'R'], "'R'", 'a tuple'],
    ['STACK_GLOBAL of a number', [str('m'), one, [0x93]], '0x93', 'two strings'],
    ['STACK_GLOBAL in a number', [one, str('f'), [0x93]], '0x93', 'two strings'],
    ['STOP', [], "'.'", 'a value'],
  ])('%s', (_, parts, opcode, expected) => {
    expect(() => valueOf(...parts)).toThrow(
      expect.objectContaining({ code: 'pickle-stack', issue: expect.objectContaining({ opcode, expected }) }),
    )
  })

  test.each<[string, Parts, object]>([
    ['what was never put aside', ['h\x01'], { code: 'pickle-memo', index: 1 }],
    ['a global', [global('m', 'g')], { code: 'pickle-global', name: 'm.g' }],
    ['a storage', [one, 'Q'], { code: 'pickle-persistent-id', found: '1' }],
    ['a function to call', [one, ')R'], { code: 'pickle-call', name: '1' }],
    ['a meaning', ['P'], { code: 'pickle-opcode', opcode: 0x50, byte: 2 }],
  ])('%s', (_, parts, issue) => {
    expect(() => valueOf(...parts)).toThrow(expect.objectContaining({ issue: expect.objectContaining(issue) }))
  })

  test('protocols after the fifth', () => {
    const ofProtocol = (protocol: number) => unpickle(cursorOf(concat([0x80, protocol], 'N.')), scope)
    expect(ofProtocol(5)).toBeNull()
    expect(() => ofProtocol(6)).toThrow(expect.objectContaining({ code: 'pickle-limit' }))
  })
})

describe('limits', () => {
  const within = (limits: Partial<typeof pickleLimits>, ...parts: Parts) =>
    unpickle(cursorOf(concat(...parts, '.')), scope, { ...pickleLimits, ...limits })
  const limited = expect.objectContaining({ code: 'pickle-limit' })

  test('on opcodes count each, the last included', () => {
    expect(within({ opcodes: 4 }, 'N0N')).toBeNull()
    expect(() => within({ opcodes: 3 }, 'N0N')).toThrow(limited)
  })

  test('on strings count bytes', () => {
    expect(within({ stringBytes: 2 }, [0x8c, 2], 'ab')).toBe('ab')
    expect(() => within({ stringBytes: 2 }, [0x8c, 3], 'abc')).toThrow(limited)
    expect(() => within({ stringBytes: 2 }, 'C', [3, 0, 0, 0])).toThrow(limited)
  })

  test('on integers count bytes', () => {
    expect(within({ integerBytes: 2 }, [0x8a, 2, 1, 1])).toBe(257)
    expect(() => within({ integerBytes: 2 }, [0x8a, 3, 1, 1, 1])).toThrow(limited)
  })

  test('on the pickle count bytes before each opcode', () => {
    expect(within({ pickleBytes: 3 }, 'N0N')).toBeNull()
    expect(() => within({ pickleBytes: 2 }, 'N0N')).toThrow(limited)
  })

  test('on names are a thousand letters', () => {
    const named = (length: number) => () => valueOf(`c${'m'.repeat(length)}\nf\n`)
    expect(named(1025)).toThrow(expect.objectContaining({ code: 'pickle-global' }))
    expect(named(1026)).toThrow(limited)
  })

  test('on memory count what opcodes make and what calls copy', () => {
    expect(within({ words: 100 }, ']'.repeat(10))).toEqual(list())
    expect(() => within({ words: 100 }, ']'.repeat(20))).toThrow(limited)
    const calls = (count: number) =>
      concat(...Array<Uint8Array>(count).fill(call(global('m', 'f'), str('x'.repeat(800)))))
    expect(within({ words: 400 }, calls(1))).toBe(1)
    expect(() => within({ words: 400 }, calls(3))).toThrow(limited)
  })
})
