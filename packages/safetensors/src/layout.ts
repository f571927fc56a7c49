import type { Dtype } from './dtype.ts'
import { SafetensorsError } from './errors.ts'
import { checkedBytes, maxHeaderJsonBytes, type TensorEntry } from './header.ts'

/** A tensor before it has a place in a file. */
export interface TensorType {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** The first bytes of a file, and where its tensors go. */
export interface FileLayout {
  /** The first bytes of the file: the length and the JSON, padded with spaces to a multiple of 8. */
  readonly header: Uint8Array
  /** In the order given. */
  readonly tensors: readonly TensorEntry[]
  readonly fileBytes: number
}

/**
 * Places tensors one after the other, in the order given: the whole header is known before any data. Readers that map
 * a file like each tensor aligned to its element size, which holds where tensors come by falling element size.
 *
 * @throws SafetensorsError `duplicate-key`, `reserved-name`, `bad-shape`, `shape-overflow`, `header-too-long`.
 */
export function layoutFile(
  tensors: readonly TensorType[],
  metadata: Readonly<Record<string, string>> = {},
): FileLayout {
  const names = new Set<string>()
  const parts = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : []
  const ends: number[] = []
  let shapeText = { shape: undefined as readonly number[] | undefined, text: '' }
  let end = 0
  for (const { name, dtype, shape } of tensors) {
    if (name === '__metadata__') throw new SafetensorsError({ code: 'reserved-name', tensor: name })
    if (names.has(name)) throw new SafetensorsError({ code: 'duplicate-key', key: name })
    names.add(name)
    const start = end
    end += bytesOf(name, dtype, shape)
    if (!Number.isSafeInteger(end))
      throw new SafetensorsError({ code: 'shape-overflow', tensor: name, shape: JSON.stringify(shape) })
    if (shape !== shapeText.shape) shapeText = { shape, text: JSON.stringify(shape) }
    parts.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":${shapeText.text},"data_offsets":[${start},${end}]}`,
    )
    ends.push(end)
  }
  const header = encodeHeader(`{${parts.join(',')}}`)
  const placed = tensors.map(({ name, dtype, shape }, index): TensorEntry => {
    const [byteStart, byteEnd] = [header.length + (ends[index - 1] ?? 0), header.length + ends[index]!]
    return { name, dtype, shape, byteStart, byteEnd }
  })
  return { header, tensors: placed, fileBytes: header.length + end }
}

function bytesOf(name: string, dtype: Dtype, shape: readonly number[]): number {
  if (shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new SafetensorsError({ code: 'bad-shape', tensor: name, shape: JSON.stringify(shape) })
  }
  const bytes = checkedBytes(dtype, shape)
  if (bytes === undefined)
    throw new SafetensorsError({ code: 'shape-overflow', tensor: name, shape: JSON.stringify(shape) })
  return bytes
}

function encodeHeader(json: string): Uint8Array {
  const utf8 = new TextEncoder().encode(json)
  const jsonBytes = Math.ceil(utf8.length / 8) * 8
  if (jsonBytes > maxHeaderJsonBytes)
    throw new SafetensorsError({ code: 'header-too-long', headerBytes: jsonBytes, limit: maxHeaderJsonBytes })
  const header = new Uint8Array(8 + jsonBytes).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(jsonBytes), true)
  header.set(utf8, 8)
  return header
}
