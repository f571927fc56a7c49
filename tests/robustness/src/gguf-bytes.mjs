/** @typedef {string | Uint8Array | { u8: number } | { u32: number } | { u64: number | bigint }} Field */

export const u8 = (value) => ({ u8: value })
export const u32 = (value) => ({ u32: value })
export const u64 = (value) => ({ u64: value })

/** Little-endian numbers, texts with their length before them, and bytes, of a GGUF. @param {readonly Field[]} fields */
export const ggufBytes = (fields) => Buffer.concat(fields.map(bytesOf))

function bytesOf(field) {
  if (field instanceof Uint8Array) return field
  if (typeof field === 'string') return Buffer.concat([bytesOf(u64(Buffer.byteLength(field))), Buffer.from(field)])
  if ('u8' in field) return Buffer.of(field.u8 & 255)
  const bytes = Buffer.alloc('u32' in field ? 4 : 8)
  if ('u32' in field) bytes.writeUInt32LE(field.u32 >>> 0)
  else bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(field.u64)))
  return bytes
}

/** How a GGUF begins. @param {number | bigint} tensorCount @param {number | bigint} keyCount */
export const ggufStart = (tensorCount, keyCount, version = 3) => [
  Buffer.from('GGUF'),
  u32(version),
  u64(tensorCount),
  u64(keyCount),
]
