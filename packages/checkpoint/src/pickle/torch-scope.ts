import type { Dtype } from '@mk/safetensors'
import {
  isKind,
  type PickleGlobal,
  type PickleStorage,
  type PickleTensor,
  type PickleValue,
} from './machine/pickle-value.ts'
import type { PickleScope } from './machine/unpickle.ts'

const storageDtypes: readonly (readonly [string, Dtype])[] = [
  ['Double', 'F64'],
  ['Float', 'F32'],
  ['Half', 'F16'],
  ['BFloat16', 'BF16'],
  ['Long', 'I64'],
  ['Int', 'I32'],
  ['Short', 'I16'],
  ['Char', 'I8'],
  ['Byte', 'U8'],
  ['Bool', 'BOOL'],
]

const torchDtypes: readonly (readonly [string, Dtype | undefined])[] = [
  ['float64', 'F64'],
  ['float32', 'F32'],
  ['float16', 'F16'],
  ['bfloat16', 'BF16'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e5m2', 'F8_E5M2'],
  ['int64', 'I64'],
  ['int32', 'I32'],
  ['int16', 'I16'],
  ['int8', 'I8'],
  ['uint64', 'U64'],
  ['uint32', 'U32'],
  ['uint16', 'U16'],
  ['uint8', 'U8'],
  ['bool', 'BOOL'],
  ['float8_e4m3fnuz', undefined],
  ['float8_e5m2fnuz', undefined],
  ['float8_e8m0fnu', undefined],
  ['complex32', undefined],
  ['complex64', undefined],
  ['complex128', undefined],
]

const untypedStorages = ['torch.storage.UntypedStorage', 'torch.UntypedStorage', 'torch.storage._UntypedStorage']

/** Maps the names of torch's storage types and dtypes. Bytes of an untyped storage count as elements of one byte. */
export const dtypesByTorchType: ReadonlyMap<string, Dtype> = new Map([
  ...storageDtypes.flatMap(([name, dtype]) => [
    [`torch.${name}Storage`, dtype] as const,
    [`torch.cuda.${name}Storage`, dtype] as const,
  ]),
  ...torchDtypes.flatMap(([name, dtype]) => (dtype === undefined ? [] : [[`torch.${name}`, dtype] as const])),
  ...untypedStorages.map((name) => [name, 'U8'] as const),
])

const isCount = (value: PickleValue | undefined): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0

/** As torch has it. */
const maxDimensions = 64

const counts = (value: PickleValue | undefined): readonly number[] | undefined =>
  isKind(value, 'tuple') && value.items.length <= maxDimensions && value.items.every(isCount)
    ? (value.items as readonly number[])
    : undefined

function rebuildTensor(args: readonly PickleValue[], type?: string): PickleTensor | undefined {
  const [storage, elementOffset] = args
  const [shape, strides] = [counts(args[2]), counts(args[3])]
  if (!isKind(storage, 'storage') || !isCount(elementOffset)) return undefined
  if (shape === undefined || strides === undefined || shape.length !== strides.length) return undefined
  return { kind: 'tensor', storage, type: type ?? storage.type, elementOffset, shape, strides }
}

/** The conjugate and negative bits would change what the elements mean. */
const isPlain = (metadata: PickleValue | undefined): boolean =>
  metadata === undefined ||
  metadata === null ||
  (isKind(metadata, 'dict') && [...metadata.entries.values()].every((value) => value !== true))

const asTensor = (value: PickleValue | undefined): PickleTensor | undefined =>
  isKind(value, 'tensor') ? value : undefined

const tensorParameters = '(storage, offset, shape, strides, …) with as many strides as dimensions'

const rebuildFromType = 'torch._tensor._rebuild_from_type_v2'

const functions: readonly PickleGlobal[] = [
  {
    kind: 'global',
    name: 'torch._utils._rebuild_tensor',
    parameters: tensorParameters,
    call: (args) => rebuildTensor(args),
  },
  {
    kind: 'global',
    name: 'torch._utils._rebuild_tensor_v2',
    parameters: tensorParameters,
    call: (args) => (isPlain(args[6]) ? rebuildTensor(args) : undefined),
  },
  {
    kind: 'global',
    name: 'torch._utils._rebuild_tensor_v3',
    parameters: `${tensorParameters}, and a dtype`,
    call: (args) => (isKind(args[6], 'global') && isPlain(args[7]) ? rebuildTensor(args, args[6].name) : undefined),
  },
  {
    kind: 'global',
    name: 'torch._utils._rebuild_parameter',
    parameters: '(tensor, …)',
    call: ([data]) => asTensor(data),
  },
  {
    kind: 'global',
    name: 'torch._utils._rebuild_parameter_with_state',
    parameters: '(tensor, …)',
    call: ([data]) => asTensor(data),
  },
  {
    kind: 'global',
    name: rebuildFromType,
    parameters: '(function, type, arguments, state)',
    // Never in itself: torch does not nest it, and each level would be one of JavaScript's stack.
    call: ([callee, , args]) =>
      isKind(callee, 'global') && callee.name !== rebuildFromType && isKind(args, 'tuple')
        ? asTensor(callee.call?.(args.items))
        : undefined,
  },
  {
    kind: 'global',
    name: 'torch.Size',
    parameters: 'a tuple or list of sizes',
    call: ([sizes]) =>
      isKind(sizes, 'tuple') || isKind(sizes, 'list') ? { kind: 'tuple', items: [...sizes.items] } : undefined,
  },
  {
    kind: 'global',
    name: 'collections.OrderedDict',
    parameters: 'no arguments, or a list of pairs',
    call: ([pairs]) => orderedDict(pairs),
  },
  { kind: 'global', name: 'builtins.set', parameters: 'a list', call: ([items]) => setOf(items) },
  { kind: 'global', name: '__builtin__.set', parameters: 'a list', call: ([items]) => setOf(items) },
  { kind: 'global', name: 'torch.device', parameters: "a device such as 'cpu'", call: ([device]) => device },
  {
    kind: 'global',
    name: '_codecs.encode',
    parameters: "text and 'latin1'",
    call: ([text, encoding]) =>
      typeof text === 'string' && encoding === 'latin1' ? Buffer.from(text, 'latin1') : undefined,
  },
]

const setOf = (items: PickleValue | undefined): PickleValue | undefined =>
  isKind(items, 'list') ? { kind: 'set', items: [...items.items] } : undefined

function orderedDict(pairs: PickleValue | undefined): PickleValue | undefined {
  const entries = new Map<PickleValue, PickleValue>()
  if (pairs === undefined) return { kind: 'dict', entries }
  if (!isKind(pairs, 'list')) return undefined
  for (const pair of pairs.items) {
    if (!(isKind(pair, 'list') || isKind(pair, 'tuple')) || pair.items.length !== 2) return undefined
    entries.set(pair.items[0]!, pair.items[1]!)
  }
  return { kind: 'dict', entries }
}

/** Types that a pickle may mention, but not call. */
const names = [
  ...dtypesByTorchType.keys(),
  ...torchDtypes.flatMap(([name, dtype]) => (dtype === undefined ? [`torch.${name}`] : [])),
  'torch.ComplexFloatStorage',
  'torch.ComplexDoubleStorage',
  'torch.storage.TypedStorage',
  'torch.Tensor',
  'torch._tensor.Tensor',
  'torch.nn.parameter.Parameter',
]

const globals: ReadonlyMap<string, PickleGlobal> = new Map(
  [...functions, ...names.map((name): PickleGlobal => ({ kind: 'global', name }))].map((entry) => [entry.name, entry]),
)

/** Creates the scope of all that the pickle of a state dict may refer to. `onStorage` is called with each storage that a tensor names. */
export const createTorchScope = (onStorage: (storage: PickleStorage) => void = () => {}): PickleScope => ({
  globals,
  persistent(id) {
    const storage = parseStorageId(id)
    if (storage !== undefined) onStorage(storage)
    return storage
  },
})

/** `('storage', type, key, location, element count[, view])`, as torch's serialization writes it. */
function parseStorageId(id: PickleValue): PickleStorage | undefined {
  if (!isKind(id, 'tuple')) return undefined
  const [tag, type, key, , elementCount, view] = id.items
  if (tag !== 'storage' || !isKind(type, 'global') || typeof key !== 'string' || !isCount(elementCount))
    return undefined
  if (view === undefined || view === null) return { kind: 'storage', key, type: type.name, elementCount, viewOffset: 0 }
  const offset = isKind(view, 'tuple') ? view.items[1] : undefined
  const size = isKind(view, 'tuple') ? view.items[2] : undefined
  if (!isCount(offset) || !isCount(size) || offset + size > elementCount) return undefined
  return { kind: 'storage', key, type: type.name, elementCount: size, viewOffset: offset }
}
