/** Pieces of pickle protocol 2, to write by hand what torch.save writes and what only an attacker would. */
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))

export function concat(...parts: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array {
  return new Uint8Array(
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? latin1(part) : Uint8Array.from(part)))),
  )
}

export function uint(value: number, byteCount: 1 | 2 | 4 | 8): Uint8Array {
  const bytes = new Uint8Array(byteCount)
  let rest = value
  for (let index = 0; index < byteCount; index++, rest = Math.floor(rest / 256)) bytes[index] = rest % 256
  return bytes
}

export const str = (text: string): Uint8Array => concat('X', uint(Buffer.byteLength(text), 4), Buffer.from(text))
export const int = (value: number): Uint8Array =>
  value < 2 ** 31 ? concat('J', uint(value, 4)) : concat([0x8a, 8], uint(value, 8))
export const global = (module: string, name: string): Uint8Array => concat('c', module, '\n', name, '\n')
export const tuple = (...items: readonly Uint8Array[]): Uint8Array => concat('(', ...items, 't')
export const call = (callee: Uint8Array, ...args: readonly Uint8Array[]): Uint8Array =>
  concat(callee, tuple(...args), 'R')
export const dict = (...pairs: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array =>
  concat('}(', ...pairs.flat(), 'u')
export const list = (...items: readonly Uint8Array[]): Uint8Array => concat('](', ...items, 'e')
export const pickle = (value: Uint8Array): Uint8Array => concat([0x80, 2], value, '.')

export const none = concat('N')

export interface TensorSpec {
  readonly key?: string
  readonly type?: string
  readonly storageElements?: number
  readonly offset?: number
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
}

function rowMajor(shape: readonly number[]): readonly number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
}

/** `_rebuild_tensor_v2` over a storage; without strides contiguous, without a size exactly as large as needed. */
export function tensor({
  key = '0',
  type = 'FloatStorage',
  shape,
  strides = rowMajor(shape),
  offset = 0,
  ...rest
}: TensorSpec): Uint8Array {
  const { storageElements = offset + shape.reduce((product, size) => product * size, 1) } = rest
  const id = concat(tuple(str('storage'), global('torch', type), str(key), str('cpu'), int(storageElements)), 'Q')
  return call(
    global('torch._utils', '_rebuild_tensor_v2'),
    id,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    concat([0x89]),
    call(global('collections', 'OrderedDict')),
  )
}

export const stateDict = (tensors: Readonly<Record<string, TensorSpec>>): Uint8Array =>
  pickle(dict(...Object.entries(tensors).map(([name, spec]) => [str(name), tensor(spec)] as const)))

/** The old format: five pickles, then the storages. */
export function oldFile(
  root: Uint8Array,
  storages: Readonly<Record<string, { elements: number; bytes: Uint8Array }>>,
  littleEndian = true,
): Uint8Array {
  const magic = concat([0x8a, 10], [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])
  return concat(
    pickle(magic),
    pickle(int(1001)),
    pickle(dict([str('little_endian'), concat([littleEndian ? 0x88 : 0x89])])),
    root,
    pickle(list(...Object.keys(storages).map(str))),
    ...Object.values(storages).flatMap(({ elements, bytes }) => [uint(elements, 8), bytes]),
  )
}
