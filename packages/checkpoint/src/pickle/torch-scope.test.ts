import { describe, expect, test } from 'vitest'
import { isKind, type PickleStorage, type PickleValue } from './machine/pickle-value.ts'
import { createTorchScope, dtypesByTorchType } from './torch-scope.ts'

const { globals, persistent } = createTorchScope()
const tuple = (...items: PickleValue[]): PickleValue => ({ kind: 'tuple', items })
const list = (...items: PickleValue[]): PickleValue => ({ kind: 'list', items })
const dict = (...entries: [PickleValue, PickleValue][]): PickleValue => ({ kind: 'dict', entries: new Map(entries) })
const type = (name: string) => globals.get(name)!
const storage: PickleStorage = {
  kind: 'storage',
  key: '0',
  type: 'torch.FloatStorage',
  elementCount: 8,
  viewOffset: 0,
}
const called = (name: string, ...args: PickleValue[]) => type(name).call!(args)
const tensor = { kind: 'tensor', storage, type: 'torch.FloatStorage', elementOffset: 1, shape: [2, 3], strides: [3, 1] }
const arguments_ = [storage, 1, tuple(2, 3), tuple(3, 1)] as const

test('every storage type and dtype of torch has its dtype here', () => {
  expect(Object.fromEntries(dtypesByTorchType)).toEqual({
    ...Object.fromEntries(
      ['torch', 'torch.cuda'].flatMap((module) =>
        Object.entries({
          Double: 'F64',
          Float: 'F32',
          Half: 'F16',
          BFloat16: 'BF16',
          Long: 'I64',
          Int: 'I32',
          Short: 'I16',
          Char: 'I8',
          Byte: 'U8',
          Bool: 'BOOL',
        }).map(([name, dtype]) => [`${module}.${name}Storage`, dtype]),
      ),
    ),
    'torch.float64': 'F64',
    'torch.float32': 'F32',
    'torch.float16': 'F16',
    'torch.bfloat16': 'BF16',
    'torch.float8_e4m3fn': 'F8_E4M3',
    'torch.float8_e5m2': 'F8_E5M2',
    'torch.int64': 'I64',
    'torch.int32': 'I32',
    'torch.int16': 'I16',
    'torch.int8': 'I8',
    'torch.uint64': 'U64',
    'torch.uint32': 'U32',
    'torch.uint16': 'U16',
    'torch.uint8': 'U8',
    'torch.bool': 'BOOL',
    'torch.storage.UntypedStorage': 'U8',
    'torch.UntypedStorage': 'U8',
    'torch.storage._UntypedStorage': 'U8',
  })
})

test.each([
  'torch.float8_e4m3fnuz',
  'torch.float8_e5m2fnuz',
  'torch.float8_e8m0fnu',
  'torch.complex32',
  'torch.complex64',
  'torch.complex128',
  'torch.ComplexFloatStorage',
  'torch.ComplexDoubleStorage',
  'torch.storage.TypedStorage',
  'torch.Tensor',
  'torch._tensor.Tensor',
  'torch.nn.parameter.Parameter',
])('%s may be named, and not called', (name) => {
  expect(type(name)).toEqual({ kind: 'global', name })
  expect(dtypesByTorchType.has(name)).toBe(false)
})

describe('a tensor', () => {
  test.each<[string, PickleValue[]]>([
    ['torch._utils._rebuild_tensor', [...arguments_]],
    ['torch._utils._rebuild_tensor_v2', [...arguments_]],
    ['torch._utils._rebuild_tensor_v2', [...arguments_, false, dict()]],
    ['torch._utils._rebuild_tensor_v2', [...arguments_, false, dict(), null]],
    ['torch._utils._rebuild_tensor_v2', [...arguments_, false, dict(), dict(['conj', false])]],
  ])('is rebuilt by %s', (name, args) => {
    expect(called(name, ...args)).toEqual(tensor)
  })

  test('has a dtype of its own where version 3 says so', () => {
    const of = (...more: PickleValue[]) =>
      called('torch._utils._rebuild_tensor_v3', ...arguments_, false, dict(), ...more)
    expect(of(type('torch.uint16'))).toEqual({ ...tensor, type: 'torch.uint16' })
    expect(of(type('torch.uint16'), dict())).toEqual({ ...tensor, type: 'torch.uint16' })
    expect(of('torch.uint16')).toBeUndefined()
    expect(of(type('torch.uint16'), dict(['neg', true]))).toBeUndefined()
  })

  test.each<[string, PickleValue[]]>([
    ['bits that change what elements mean', [...arguments_, false, dict(), dict(['conj', false], ['neg', true])]],
    ['metadata that are none', [...arguments_, false, dict(), 1]],
    ['no storage', [null, 1, tuple(2, 3), tuple(3, 1)]],
    ['an offset before its start', [storage, -1, tuple(2, 3), tuple(3, 1)]],
    ['an offset of half an element', [storage, 0.5, tuple(2, 3), tuple(3, 1)]],
    ['a list as its shape', [storage, 1, list(2, 3), tuple(3, 1)]],
    ['a negative size', [storage, 1, tuple(2, -3), tuple(3, 1)]],
    ['a negative stride', [storage, 1, tuple(2, 3), tuple(3, -1)]],
    ['a stride too few', [storage, 1, tuple(2, 3), tuple(3)]],
    ['65 dimensions', [storage, 1, tuple(...Array<number>(65).fill(1)), tuple(...Array<number>(65).fill(1))]],
  ])('with %s is none', (_, args) => {
    expect(called('torch._utils._rebuild_tensor_v2', ...args)).toBeUndefined()
  })

  test('has up to 64 dimensions', () => {
    const ones = tuple(...Array<number>(64).fill(1))
    expect(called('torch._utils._rebuild_tensor_v2', storage, 0, ones, ones)).toMatchObject({ kind: 'tensor' })
  })

  test.each(['torch._utils._rebuild_parameter', 'torch._utils._rebuild_parameter_with_state'])(
    'is that of a parameter: %s',
    (name) => {
      const data = called('torch._utils._rebuild_tensor', ...arguments_)!
      expect(called(name, data, true, dict())).toBe(data)
      expect(called(name, storage, true)).toBeUndefined()
    },
  )

  test('of a type of its own is rebuilt by the function that is named, but not by itself', () => {
    const name = 'torch._tensor._rebuild_from_type_v2'
    const args = tuple(...arguments_)
    const kind = type('torch.Tensor')
    expect(called(name, type('torch._utils._rebuild_tensor_v2'), kind, args, null)).toEqual(tensor)
    expect(called(name, type(name), kind, tuple(type('torch._utils._rebuild_tensor_v2'), kind, args))).toBeUndefined()
    expect(called(name, type('torch.Size'), kind, tuple(tuple(1)))).toBeUndefined()
    expect(called(name, kind, kind, args)).toBeUndefined()
    expect(called(name, type('torch._utils._rebuild_tensor_v2'), kind, list(...arguments_))).toBeUndefined()
  })
})

test.each<[string, PickleValue[], PickleValue | undefined]>([
  ['torch.Size', [tuple(1, 2)], tuple(1, 2)],
  ['torch.Size', [list(1, 2)], tuple(1, 2)],
  ['torch.Size', [1], undefined],
  ['collections.OrderedDict', [], dict()],
  ['collections.OrderedDict', [list(tuple('a', 1), list('b', 2))], dict(['a', 1], ['b', 2])],
  ['collections.OrderedDict', [list(tuple('a', 1, 2))], undefined],
  ['collections.OrderedDict', [list('ab')], undefined],
  ['collections.OrderedDict', [tuple()], undefined],
  ['builtins.set', [list(1, 2)], { kind: 'set', items: [1, 2] }],
  ['__builtin__.set', [list(1)], { kind: 'set', items: [1] }],
  ['builtins.set', [tuple(1)], undefined],
  ['torch.device', ['cpu'], 'cpu'],
  ['_codecs.encode', ['aä', 'latin1'], Buffer.from([0x61, 0xe4])],
  ['_codecs.encode', ['a', 'utf8'], undefined],
  ['_codecs.encode', [1, 'latin1'], undefined],
])('%s of %j', (name, args, value) => {
  expect(called(name, ...args)).toEqual(value)
})

describe('a storage', () => {
  const float = type('torch.FloatStorage')

  test('is named by its id, whole or as a view', () => {
    expect(persistent(tuple('storage', float, '0', 'cpu', 8))).toEqual(storage)
    expect(persistent(tuple('storage', float, '0', 'cpu', 8, null))).toEqual(storage)
    const viewOf = (offset: PickleValue, size: PickleValue) =>
      persistent(tuple('storage', float, '0', 'cpu', 8, tuple('v', offset, size)))
    expect(viewOf(2, 6)).toEqual({ ...storage, elementCount: 6, viewOffset: 2 })
    for (const [offset, size] of [
      [2, 7],
      [-1, 2],
      [0, -1],
      ['0', 1],
    ] as const)
      expect(viewOf(offset, size)).toBeUndefined()
    expect(persistent(tuple('storage', float, '0', 'cpu', 8, list('v', 0, 1)))).toBeUndefined()
  })

  test.each([
    ['a list', list('storage', float, '0', 'cpu', 8)],
    ['another word', tuple('module', float, '0', 'cpu', 8)],
    ['a name for its type', tuple('storage', 'torch.FloatStorage', '0', 'cpu', 8)],
    ['a number for its key', tuple('storage', float, 0, 'cpu', 8)],
    ['a negative length', tuple('storage', float, '0', 'cpu', -8)],
  ])('is not named by %s', (_, id) => {
    expect(persistent(id)).toBeUndefined()
  })

  test('is told of as soon as it is named', () => {
    const told: PickleStorage[] = []
    const scope = createTorchScope((found) => told.push(found))
    scope.persistent(tuple('storage', float, '0', 'cpu', 8))
    scope.persistent(tuple('module'))
    expect(told).toEqual([storage])
    expect(isKind(told[0], 'storage')).toBe(true)
  })
})
