/** What a pickle may be made of. Nothing here is a class of the pickled program: a pickle is read as data. */
export type PickleValue =
  | null
  | boolean
  | number
  /** Integers beyond 2^53. */
  | bigint
  | string
  | Uint8Array
  | PickleTuple
  | PickleList
  | PickleDict
  | PickleSet
  | PickleGlobal
  | PickleStorage
  | PickleTensor

export interface PickleTuple {
  readonly kind: 'tuple'
  readonly items: readonly PickleValue[]
}

interface PickleList {
  readonly kind: 'list'
  items: PickleValue[]
}

/** dict and OrderedDict; keys that are no strings or numbers are compared by identity. */
export interface PickleDict {
  readonly kind: 'dict'
  readonly entries: Map<PickleValue, PickleValue>
}

interface PickleSet {
  readonly kind: 'set'
  items: PickleValue[]
}

/** A known name, such as `torch.FloatStorage`; `call` returns undefined for arguments it can't be called with. */
export interface PickleGlobal {
  readonly kind: 'global'
  readonly name: string
  /** What `call` expects, for errors. */
  readonly parameters?: string
  call?(args: readonly PickleValue[]): PickleValue | undefined
}

/** A storage as its persistent id names it. */
export interface PickleStorage {
  readonly kind: 'storage'
  readonly key: string
  /** `torch.FloatStorage`, …; `torch.storage.UntypedStorage` counts bytes. */
  readonly type: string
  readonly elementCount: number
  /** Of a view into another storage (old format), in elements; 0 otherwise. */
  readonly viewOffset: number
}

/** Offsets and strides in elements of `type`, which is a storage type or a dtype such as `torch.float8_e4m3fn`. */
export interface PickleTensor {
  readonly kind: 'tensor'
  readonly storage: PickleStorage
  readonly type: string
  readonly elementOffset: number
  readonly shape: readonly number[]
  readonly strides: readonly number[]
}

/** Tells whether a value is one of the kinds that are objects here. */
export const isKind = <K extends Extract<PickleValue, { kind: string }>['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === kind

/** Counts what a call may walk through or copy of its arguments, also of those that it hands on: about one word each. */
export function sizeOfArguments(args: readonly PickleValue[]): number {
  let size = 0
  for (const value of args) {
    size += sizeOf(value)
    if (isKind(value, 'tuple') && value.items.length <= 16) for (const item of value.items) size += sizeOf(item)
  }
  return size
}

/** A dict of pairs takes more than their list. */
function sizeOf(value: PickleValue): number {
  if (typeof value === 'string') return value.length / 8
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 1
  if (value.kind === 'dict') return value.entries.size
  return value.kind === 'list' ? value.items.length * 8 : value.kind === 'tuple' ? value.items.length : 1
}

/** Describes a value in a few words, for error messages. */
export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'None'
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  switch (value.kind) {
    case 'tuple':
    case 'list':
    case 'set':
      return `a ${value.kind} of ${value.items.length}`
    case 'dict': {
      const keys = [...value.entries.keys()]
        .slice(0, 6)
        .map((key) => (isKind(key, 'dict') ? 'a dict' : describeValue(key)))
      return `a dict of ${value.entries.size}${keys.length > 0 ? ` (${keys.join(', ')}${value.entries.size > keys.length ? ', …' : ''})` : ''}`
    }
    case 'global':
      return value.name
    case 'storage':
      return `a ${value.type}`
    case 'tensor':
      return `a tensor [${value.shape.slice(0, 8).join(', ')}]`
    default:
      return value satisfies never
  }
}
