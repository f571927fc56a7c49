import { expect, test } from 'vitest'
import { describeValue, isKind, type PickleStorage, type PickleValue, sizeOfArguments } from './pickle-value.ts'

const list = (...items: PickleValue[]): PickleValue => ({ kind: 'list', items })
const tuple = (...items: PickleValue[]): PickleValue => ({ kind: 'tuple', items })
const dict = (...entries: [PickleValue, PickleValue][]): PickleValue => ({ kind: 'dict', entries: new Map(entries) })
const global: PickleValue = { kind: 'global', name: 'torch.FloatStorage' }
const storage: PickleStorage = { kind: 'storage', key: '0', type: 'torch.FloatStorage', elementCount: 4, viewOffset: 0 }
const tensor = (...shape: number[]): PickleValue => ({
  kind: 'tensor',
  storage,
  type: 'x',
  elementOffset: 0,
  shape,
  strides: [],
})

test.each<[string, PickleValue | undefined]>([
  ['nothing', undefined],
  ['None', null],
  ['true', true],
  ['1.5', 1.5],
  ['9007199254740993', 2n ** 53n + 1n],
  ['"a\\nb"', 'a\nb'],
  [`"${'x'.repeat(60)}"`, 'x'.repeat(60)],
  [`"${'x'.repeat(60)}…"`, 'x'.repeat(61)],
  ['3 bytes', Uint8Array.of(1, 2, 3)],
  ['a tuple of 2', tuple(1, 2)],
  ['a list of 0', list()],
  ['a set of 1', { kind: 'set', items: [1] }],
  ['a dict of 0', dict()],
  ['a dict of 2 ("a", a dict)', dict(['a', 1], [dict(['b', 2]), 3])],
  ['a dict of 6 (0, 1, 2, 3, 4, 5)', dict(...[0, 1, 2, 3, 4, 5].map((key): [PickleValue, PickleValue] => [key, key]))],
  [
    'a dict of 7 (0, 1, 2, 3, 4, 5, …)',
    dict(...[0, 1, 2, 3, 4, 5, 6].map((key): [PickleValue, PickleValue] => [key, key])),
  ],
  ['torch.FloatStorage', global],
  ['a torch.FloatStorage', storage],
  ['a tensor [2, 3]', tensor(2, 3)],
  ['a tensor [1, 2, 3, 4, 5, 6, 7, 8]', tensor(1, 2, 3, 4, 5, 6, 7, 8, 9)],
])('%s describes a value', (text, value) => {
  expect(describeValue(value)).toBe(text)
})

test('a kind is that of objects, and bytes have none', () => {
  expect([isKind(list(), 'list'), isKind(list(), 'tuple'), isKind(global, 'global')]).toEqual([true, false, true])
  for (const value of [undefined, null, 'list', Uint8Array.of(1)]) expect(isKind(value, 'list')).toBe(false)
})

test('arguments have the size of what a call may walk through or copy', () => {
  expect(sizeOfArguments([])).toBe(0)
  expect(sizeOfArguments([1, null, true, Uint8Array.of(1, 2, 3), global])).toBe(5)
  expect(sizeOfArguments(['x'.repeat(80)])).toBe(10)
  expect(sizeOfArguments([list(1, 2, 3)])).toBe(24)
  expect(sizeOfArguments([dict([1, 2], [3, 4])])).toBe(2)
  expect(sizeOfArguments([{ kind: 'set', items: [1, 2, 3] }])).toBe(1)
  // What is in a small tuple is handed on.
  const items = (count: number) => Array.from({ length: count }, () => list(1))
  expect(sizeOfArguments([tuple(...items(16))])).toBe(16 + 16 * 8)
  expect(sizeOfArguments([tuple(...items(17))])).toBe(17)
  expect(sizeOfArguments([list(tuple(1, 2))])).toBe(8)
})
