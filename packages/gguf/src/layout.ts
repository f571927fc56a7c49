import { quoted } from '@mk/errors'
import { GgufError } from './errors.ts'
import { ggmlBytes, type GgmlType, ggmlTypes } from './ggml-types.ts'
import { HeaderBytes } from './header-bytes.ts'
import { limits } from './limits.ts'
import type { GgufMetadata } from './metadata.ts'
import { type GgufTensor, isAlignment } from './parse-header.ts'
import { writeValue } from './write-value.ts'

/** A tensor before it has a place in a file. */
export interface GgufTensorType {
  readonly name: string
  /** Row-major, see `GgufTensor`. */
  readonly shape: readonly number[]
  readonly type: GgmlType
}

/** The first bytes of a file, and where its tensors go. */
export interface GgufLayout {
  /** Version 3, padded to the alignment. */
  readonly header: Uint8Array
  /** In the order given. */
  readonly tensors: readonly GgufTensor[]
  /** With the padding behind the last tensor that readers expect. */
  readonly fileBytes: number
}

/**
 * Places tensors one after the other, in the order given, each at a multiple of the metadata's `general.alignment`, or of 32:
 * the whole header is known before any data. What lies between tensors has to be zero.
 *
 * @throws GgufError `gguf-duplicate-tensor`, `gguf-name`, `gguf-shape`, `gguf-value`, `gguf-alignment`, `gguf-count`,
 *   `gguf-nesting`, `gguf-header-too-long`.
 */
export function layoutGguf(metadata: GgufMetadata, tensors: readonly GgufTensorType[]): GgufLayout {
  const alignment = alignmentOf(metadata)
  checkCount('keys', metadata.size, limits.keys)
  checkCount('tensors', tensors.length, limits.tensors)
  const bytes = new HeaderBytes()
  bytes.uint32(0x46554747)
  bytes.uint32(3)
  bytes.uint64(tensors.length)
  bytes.uint64(metadata.size)
  const budget = { elements: limits.elements, innerArrays: limits.innerArrays }
  for (const [key, value] of metadata) {
    bytes.text(key, { what: 'a key', most: limits.keyBytes })
    writeValue(bytes, key, value, budget)
  }
  const names = new Set<string>()
  let offset = 0
  const placed = tensors.map((tensor) => {
    const { name, shape, type } = tensor
    if (names.has(name)) throw new GgufError({ code: 'gguf-duplicate-tensor', tensor: name })
    names.add(name)
    const tensorBytes = checkedBytes(tensor)
    checkName(name)
    bytes.text(name, { what: 'a name', most: limits.nameBytes })
    bytes.uint32(shape.length)
    for (const size of shape.toReversed()) bytes.uint64(size)
    bytes.uint32(ggmlTypes[type].id)
    bytes.uint64(offset)
    const start = offset
    offset = padded(offset + tensorBytes, alignment)
    if (!Number.isSafeInteger(offset)) failShape(tensor)
    return { ...tensor, start, tensorBytes }
  })
  const header = bytes.finish(alignment)
  return {
    header,
    tensors: placed.map(({ name, shape, type, start, tensorBytes }) => {
      const byteStart = header.length + start
      return { name, shape, type, byteStart, byteEnd: byteStart + tensorBytes }
    }),
    fileBytes: header.length + offset,
  }
}

const padded = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment

function alignmentOf(metadata: GgufMetadata): number {
  const found = metadata.get('general.alignment')
  if (found === undefined) return 32
  if (found.type === 'uint32' && isAlignment(found.value)) return found.value
  const text = found.type === 'uint32' ? String(found.value) : quoted(found.type)
  throw new GgufError({ code: 'gguf-alignment', found: text, limit: limits.alignment })
}

function checkCount(what: string, count: number, most: number): void {
  if (count > most) throw new GgufError({ code: 'gguf-count', what, count: String(count), most, why: 'limit' })
}

function checkName(tensor: string): void {
  const bytes = new TextEncoder().encode(tensor).length
  if (bytes === 0 || bytes > limits.writtenNameBytes)
    throw new GgufError({ code: 'gguf-name', tensor, bytes, limit: limits.writtenNameBytes })
}

function checkedBytes(tensor: GgufTensorType): number {
  const { shape, type } = tensor
  const isShape = shape.length <= limits.dimensions && shape.every((size) => Number.isInteger(size) && size >= 0)
  return (isShape ? ggmlBytes(type, shape) : undefined) ?? failShape(tensor)
}

function failShape({ name, shape, type }: GgufTensorType): never {
  const { blockElements } = ggmlTypes[type]
  throw new GgufError({ code: 'gguf-shape', tensor: name, shape: JSON.stringify(shape), type, blockElements })
}
