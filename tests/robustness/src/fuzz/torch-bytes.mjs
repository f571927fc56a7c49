/** Bytes of pickles, as torch writes them. */

const ascii = (text) => Buffer.from(text, 'latin1')
export const mark = ascii('(')
const stop = ascii('.')
const protocol = Buffer.from([0x80, 2])

/** @param {string} value as bytes of latin1 */
export function unicode(value) {
  const text = Buffer.from(value)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([ascii('X'), length, text])
}

/** @param {number} value */
export function integer(value) {
  if (value >= 0 && value < 256) return Buffer.from([0x4b, value])
  const bytes = Buffer.alloc(5)
  bytes.write('J', 'latin1')
  bytes.writeInt32LE(value | 0, 1)
  return bytes
}

/** @param {string} module @param {string} name */
export const global = (module, name) => ascii(`c${module}\n${name}\n`)

const tuple = (...parts) => Buffer.concat([mark, ...parts, ascii('t')])

/** A state dict of float32 tensors, each of a storage of its own. @param {Readonly<Record<string, readonly number[]>>} shapes */
function stateDict(shapes) {
  const items = Object.entries(shapes).map(([name, shape], index) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const storage = Buffer.concat([
      tuple(unicode('storage'), global('torch', 'FloatStorage'), unicode(`${index}`), unicode('cpu'), integer(count)),
      ascii('Q'),
    ])
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1))
    const hooks = Buffer.concat([global('collections', 'OrderedDict'), ascii(')R')])
    const state = tuple(
      storage,
      integer(0),
      tuple(...shape.map(integer)),
      tuple(...strides.map(integer)),
      ascii('\x89'),
      hooks,
    )
    return Buffer.concat([unicode(name), global('torch._utils', '_rebuild_tensor_v2'), state, ascii('R')])
  })
  return Buffer.concat([protocol, ascii('}'), mark, ...items, ascii('u'), stop])
}

const counts = (shapes) => Object.values(shapes).map((shape) => shape.reduce((product, size) => product * size, 1))

/** The parts of torch's old format before the state dict: its magic number, its protocol and what it says of the system. */
const oldFormatHead = Buffer.concat([
  protocol,
  Buffer.from([0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]),
  stop,
  protocol,
  Buffer.from([0x4d, 0xe9, 0x03]),
  stop,
  Buffer.concat([protocol, ascii('}'), stop]),
])

/** An old file around the opcodes that leave its root. @param {Buffer} body */
export const oldFileOf = (body) =>
  Buffer.concat([oldFormatHead, protocol, body, stop, Buffer.concat([protocol, ascii(']'), stop])])

/** A file in torch's old format. @param {Readonly<Record<string, readonly number[]>>} shapes */
export function oldTorchFile(shapes) {
  const keys = Object.keys(shapes).map((_, index) => unicode(`${index}`))
  const list = Buffer.concat([protocol, ascii(']'), mark, ...keys, ascii('e'), stop])
  const storages = counts(shapes).map((count) => {
    const bytes = Buffer.alloc(8 + 4 * count)
    bytes.writeBigUInt64LE(BigInt(count))
    return bytes
  })
  return Buffer.concat([oldFormatHead, stateDict(shapes), list, ...storages])
}

/** The entries of a file in torch's format of today. @param {Readonly<Record<string, readonly number[]>>} shapes */
export const torchEntries = (shapes) => [
  { name: 'archive/data.pkl', content: stateDict(shapes) },
  { name: 'archive/byteorder', content: ascii('little') },
  ...counts(shapes).map((count, index) => ({ name: `archive/data/${index}`, content: Buffer.alloc(4 * count) })),
  { name: 'archive/version', content: ascii('3\n') },
]
