import { ByteCursor, OutOfBytes } from './byte-cursor.ts'
import { GgufError, type GgufIssue } from './errors.ts'
import { ggmlBytes, type GgmlType, ggmlTypeOfId, ggmlTypes } from './ggml-types.ts'
import { limits } from './limits.ts'
import type { GgufMetadata, GgufValue } from './metadata.ts'
import { readValue } from './read-value.ts'

/** The place of a tensor in a file: its blocks, row by row, are bytes [byteStart, byteEnd) of the file. */
export interface GgufTensor {
  readonly name: string
  /**
   * Row-major, as PyTorch and safetensors have it: the last dimension is the one whose elements lie side by side. A file and
   * GGML's `ne` have the same numbers in the opposite order.
   */
  readonly shape: readonly number[]
  readonly type: GgmlType
  readonly byteStart: number
  readonly byteEnd: number
}

/** The header of a file, checked. */
export interface GgufHeader {
  readonly version: 2 | 3
  readonly metadata: GgufMetadata
  /** In the order of the header. */
  readonly tensors: readonly GgufTensor[]
  readonly alignment: number
  /** Where the tensors' bytes begin: the header, padded to the alignment. */
  readonly headerBytes: number
}

const defaultAlignment = 32
const magic = 0x46554747

/**
 * Parses and checks everything that the format demands of a header: after it every tensor's bytes lie inside the file, at the
 * alignment, and none overlap.
 * Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @param bytes from the start of the file. How many the header has is only known at its end: begin with some, and call again
 *   with twice as many as long as the result is undefined.
 * @param fileBytes the size of the whole file.
 * @param file named in errors.
 * @returns undefined where the header goes on behind `bytes`.
 * @throws GgufError with one code per broken rule.
 */
export function parseGgufHeader(bytes: Uint8Array, fileBytes: number, file?: string): GgufHeader | undefined {
  const cursor = new ByteCursor(bytes.subarray(0, Math.min(bytes.length, fileBytes)), fileBytes, file)
  try {
    return parse(cursor, file)
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined
    throw error
  }
}

function parse(cursor: ByteCursor, file: string | undefined): GgufHeader {
  const fail = (issue: GgufIssue): never => {
    throw new GgufError(issue, file)
  }
  checkMagic(cursor, fail)
  const version = parseVersion(cursor, fail)
  // A tensor has at least two lengths, a type and an offset; a key a length, a type and a byte.
  const tensorCount = cursor.count('tensors', limits.tensors, 24)
  const keyCount = cursor.count('keys', limits.keys, 13)
  const metadata = parseMetadata(cursor, keyCount, fail)
  const alignment = alignmentOf(metadata, fail)
  const unplaced = parseTensors(cursor, tensorCount, alignment, fail)
  const headerBytes = Math.ceil(cursor.position / alignment) * alignment
  const tensors = unplaced.map(({ offset, bytes, ...tensor }): GgufTensor => {
    const byteStart = headerBytes + offset
    const byteEnd = byteStart + bytes
    if (byteEnd > cursor.fileBytes)
      fail({ code: 'gguf-out-of-range', tensor: tensor.name, byteEnd, fileBytes: cursor.fileBytes })
    return { ...tensor, byteStart, byteEnd }
  })
  checkOverlaps(tensors, fail)
  return { version, metadata, tensors, alignment, headerBytes }
}

type Fail = (issue: GgufIssue) => never

function checkMagic(cursor: ByteCursor, fail: Fail): void {
  const found = cursor.uint32('its first four bytes')
  if (found === magic) return
  const letters = [0, 8, 16, 24].map((shift) => String.fromCharCode((found >>> shift) & 0xff)).join('')
  fail({ code: 'gguf-magic', found: letters })
}

function parseVersion(cursor: ByteCursor, fail: Fail): 2 | 3 {
  const version = cursor.uint32('its version')
  if (version === 2 || version === 3) return version
  const isSwapped = version !== 0 && (version & 0xffff) === 0
  return fail(isSwapped ? { code: 'gguf-big-endian' } : { code: 'gguf-version', version })
}

function parseMetadata(cursor: ByteCursor, keyCount: number, fail: Fail): GgufMetadata {
  const metadata = new Map<string, GgufValue>()
  const budget = { elements: limits.elements, innerArrays: limits.innerArrays }
  for (let index = 0; index < keyCount; index++) {
    const key = cursor.text('a key', limits.keyBytes, 'refuse')
    if (metadata.has(key)) fail({ code: 'gguf-duplicate-key', key })
    metadata.set(key, readValue(cursor, key, budget))
  }
  return metadata
}

function alignmentOf(metadata: GgufMetadata, fail: Fail): number {
  const found = metadata.get('general.alignment')
  if (found === undefined) return defaultAlignment
  if (found.type !== 'uint32') return fail({ code: 'gguf-alignment', found: found.type, limit: limits.alignment })
  return isAlignment(found.value)
    ? found.value
    : fail({ code: 'gguf-alignment', found: String(found.value), limit: limits.alignment })
}

/** Tells whether tensors may start at multiples of it. */
export const isAlignment = (value: number): boolean =>
  Number.isInteger(value) && value >= 8 && value <= limits.alignment && (value & (value - 1)) === 0

interface UnplacedTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly type: GgmlType
  readonly offset: number
  readonly bytes: number
}

function parseTensors(cursor: ByteCursor, count: number, alignment: number, fail: Fail): UnplacedTensor[] {
  const names = new Set<string>()
  return Array.from({ length: count }, () => {
    const name = cursor.text('the name of a tensor', limits.nameBytes, 'refuse')
    if (names.has(name)) fail({ code: 'gguf-duplicate-tensor', tensor: name })
    names.add(name)
    const what = 'the description of a tensor'
    const dimensions = cursor.uint32(what)
    if (dimensions > limits.dimensions)
      fail({
        code: 'gguf-count',
        what: 'dimensions in a tensor',
        count: String(dimensions),
        most: limits.dimensions,
        why: 'limit',
      })
    const shape = Array.from({ length: dimensions }, () => Number(cursor.uint64(what))).reverse()
    const id = cursor.uint32(what)
    const type = ggmlTypeOfId(id) ?? fail({ code: 'gguf-tensor-type', tensor: name, id })
    const bytes = ggmlBytes(type, shape) ?? failShape(name, shape, type, fail)
    const offset = cursor.uint64(what)
    if (offset % BigInt(alignment) !== 0n)
      fail({ code: 'gguf-offset', tensor: name, offset: String(offset), alignment })
    return { name, shape, type, offset: Number(offset), bytes }
  })
}

function failShape(tensor: string, shape: readonly number[], type: GgmlType, fail: Fail): never {
  const { blockElements } = ggmlTypes[type]
  return fail({ code: 'gguf-shape', tensor, shape: JSON.stringify(shape), type, blockElements })
}

function checkOverlaps(tensors: readonly GgufTensor[], fail: Fail): void {
  const inOrder = tensors.toSorted((a, b) => a.byteStart - b.byteStart || a.byteEnd - b.byteEnd)
  inOrder.forEach(({ name, byteStart }, index) => {
    const previous = inOrder[index - 1]
    if (previous !== undefined && byteStart < previous.byteEnd)
      fail({ code: 'gguf-overlap', tensor: name, other: previous.name, byte: byteStart })
  })
}
