// What sources mean, spelled out without regard to memory or speed: whole tensors as lists of numbers.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dequantize, ggmlBytes } from '@mk/gguf'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import { decode, encode } from '@mk/tensor'
import type {
  FileSource,
  GatherSource,
  LoraSource,
  PackedSource,
  StridedSource,
  TensorSource,
} from '../../tensor-source.ts'

export type Numbers = readonly number[]

/** Writes values to a file, behind some bytes that belong to something else. */
export function storedTensor(
  folder: string,
  name: string,
  dtype: Dtype,
  shape: readonly number[],
  values: Numbers,
): FileSource {
  const bytes = new Uint8Array(3 + values.length * dtypeBytes(dtype))
  bytes.fill(0xaa, 0, 3)
  bytes.set(toBytes(dtype, values), 3)
  const file = join(folder, name)
  writeFileSync(file, bytes)
  return { kind: 'file', file, byteStart: 3, dtype, shape }
}

function toBytes(dtype: Dtype, values: Numbers): Uint8Array {
  if (dtype === 'F64') return new Uint8Array(Float64Array.from(values).buffer)
  const bytes = new Uint8Array(values.length * dtypeBytes(dtype))
  encode(dtype, Float32Array.from(values), bytes, 0)
  return bytes
}

export function toNumbers(dtype: Dtype, bytes: Uint8Array): number[] {
  if (dtype === 'F64') return [...new Float64Array(bytes.slice().buffer)]
  const values = new Float32Array(bytes.length / dtypeBytes(dtype))
  decode(dtype, bytes, 0, values)
  return [...values]
}

/** Not a Buffer, whose `slice` copies nothing. */
const bytesOf = (file: string) => new Uint8Array(readFileSync(file))

const rounded = (dtype: Dtype, values: Numbers) => toNumbers(dtype, toBytes(dtype, values))

export function naiveRead(source: TensorSource): number[] {
  const count = elementCount(source.shape)
  switch (source.kind) {
    case 'file':
      return toNumbers(
        source.dtype,
        bytesOf(source.file).subarray(source.byteStart, source.byteStart + count * dtypeBytes(source.dtype)),
      )
    case 'strided': {
      const storage = bytesOf(source.file).subarray(source.byteStart)
      const all = toNumbers(
        source.dtype,
        storage.subarray(0, storage.length - (storage.length % dtypeBytes(source.dtype))),
      )
      return indices(source.shape).map(
        (index) => all[index.reduce((at, i, d) => at + i * source.strides[d]!, source.elementOffset)]!,
      )
    }
    case 'crop': {
      const all = naiveRead(source.source)
      const full = source.source.shape
      return indices(source.shape).map((index) => all[index.reduce((at, i, d) => at * full[d]! + i, 0)]!)
    }
    case 'gather':
      return rounded(source.dtype, gatherRows(source).flat())
    case 'lora':
      return rounded(source.dtype, addLora(source))
    case 'blocks': {
      const values = new Float32Array(count)
      dequantize(
        source.type,
        bytesOf(source.file).subarray(source.byteStart, source.byteStart + ggmlBytes(source.type, source.shape)!),
        values,
      )
      return [...values]
    }
    case 'halves': {
      const all = naiveRead(source.source)
      const [rows, columns] = [source.shape[0]!, elementCount(source.shape.slice(1))]
      const half = rows / source.heads / 2
      return indices([source.heads, 2, half, columns]).map(
        ([head, side, row, column]) => all[((head! * half + row!) * 2 + side!) * columns + column!]!,
      )
    }
    case 'values':
      return toNumbers(source.dtype, Buffer.from(source.base64!, 'base64'))
    case 'packed':
      return codesOf(source).map((code) => numberOf(code, source))
    case 'dequantized': {
      const { bias, factor = 1, divides } = source
      const [scales, zeros, biases, groups] = [source.scale, source.zero, bias, source.groups].map((part) =>
        typeof part === 'object' ? naiveRead(part) : undefined,
      )
      const columns = source.source.shape.at(-1) ?? 1
      const { scale } = source
      const perRow =
        groups === undefined || typeof scale === 'number'
          ? Math.ceil(columns / source.blockColumns)
          : scale.shape.at(-1)!
      const scaleOf = (block: number) => (typeof scale === 'number' ? scale : scales![block]!)
      const values = naiveRead(source.source).map((code, i) => {
        const inRow = groups?.[i % columns] ?? Math.floor((i % columns) / source.blockColumns)
        const block = Math.floor(Math.floor(i / columns) / source.blockRows) * perRow + inRow
        const difference = code - (zeros?.[block] ?? 0)
        const scaled = Math.fround(divides ? difference / scaleOf(block) : difference * scaleOf(block))
        const multiplied = factor === 1 ? scaled : Math.fround(scaled * Math.fround(factor))
        return bias === undefined
          ? multiplied
          : Math.fround(multiplied + (typeof bias === 'number' ? Math.fround(bias) : biases![block]!))
      })
      return rounded(source.dtype, values)
    }
    case 'merged':
      throw new TypeError('nothing computes it here')
    default:
      return source satisfies never
  }
}

/** The codes of packed words, bit by bit. */
function codesOf({ words, bits, along, places, shape }: PackedSource): number[] {
  const stored = wordsOf(words)
  const wordBits = dtypeBytes(words.dtype) * 8
  const width = words.shape.at(-1)!
  return indices([elementCount(shape.slice(0, -1)), shape.at(-1)!]).map(([row, column]) => {
    const [line, index] = along === 'columns' ? [row!, column!] : [column!, row!]
    return Array.from({ length: bits }, (_, bit) => {
      const at =
        places === undefined
          ? index * bits + bit
          : Math.floor(index / places.length) * wordBits + places[index % places.length]! * bits + bit
      const word = Math.floor(at / wordBits)
      const value = stored[along === 'columns' ? line * width + word : word * width + line]!
      return Number((BigInt(value) >> BigInt(at % wordBits)) & 1n) << bit
    }).reduce((code, part) => code | part, 0)
  })
}

/** All bits of words, which float32 has no room for. */
function wordsOf({ kind, ...source }: TensorSource): number[] {
  const { file, byteStart, dtype, shape } = source as FileSource
  const View = dtypeBytes(dtype) === 1 ? Uint8Array : Uint32Array
  const byteCount = elementCount(shape) * dtypeBytes(dtype)
  const stored = [...new View(bytesOf(file).slice(byteStart, byteStart + byteCount).buffer)]
  if (kind === 'file') return stored
  const { strides } = source as StridedSource
  return indices(shape).map((index) => stored[index.reduce((at, i, d) => at + i * strides[d]!, 0)]!)
}

/** The same from the definitions of the formats. */
function numberOf(code: number, { values, bits }: PackedSource): number {
  if (values.kind === 'integers') return code + values.offset
  if (values.kind === 'stored') return naiveRead(values.table)[code]!
  if (values.format === 'e8m0') return code === 255 ? NaN : 2 ** (code - 127)
  const [exponentBits, mantissaBits] = values.format === 'e2m1' ? [2, 1] : [4, 3]
  const sign = code >> (bits - 1) === 1 ? -1 : 1
  const exponent = (code >> mantissaBits) & (2 ** exponentBits - 1)
  const mantissa = (code & (2 ** mantissaBits - 1)) / 2 ** mantissaBits
  if (values.format === 'e4m3' && (code & 127) === 127) return NaN
  const bias = 2 ** (exponentBits - 1) - 1
  return sign * (exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias))
}

function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  )
}

function gatherRows({ sources, segments, shape, dtype }: GatherSource): number[][] {
  const columns = elementCount(shape.slice(1))
  const all = sources.map(naiveRead)
  const rowOf = (source: number, row: number) => all[source]!.slice(row * columns, (row + 1) * columns)
  const mean = (rows: number[][]) =>
    Array.from({ length: columns }, (_, c) => rows.reduce((sum, row) => sum + row[c]!, 0) / Math.max(1, rows.length))
  const rows = segments.map((segment): number[][] | undefined => {
    switch (segment.kind) {
      case 'copy':
        return Array.from({ length: segment.rowCount }, (_, i) => rowOf(segment.source, segment.row + i))
      case 'mean':
        return Array.from({ length: segment.rowCount }, () =>
          mean(segment.of.map(({ source, row }) => rowOf(source, row))),
        )
      case 'zero':
        return Array.from({ length: segment.rowCount }, () => Array.from({ length: columns }, () => 0))
      case 'mean-of-others':
        return undefined
      default:
        return segment satisfies never
    }
  })
  const others = mean(rows.flatMap((some) => (some ?? []).map((row) => rounded(dtype, row))))
  return rows.flatMap((some, i) => some ?? Array.from({ length: segments[i]!.rowCount }, () => others))
}

function addLora({ source, a, b, scale, transposed, shape }: LoraSource): number[] {
  const [down, up] = [naiveRead(a), naiveRead(b)]
  const rank = a.shape[0]!
  const columns = elementCount(shape.slice(1))
  const inputs = down.length / rank
  return naiveRead(source).map((value, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    const [out, into] = transposed ? [column, row] : [row, column]
    let sum = 0
    for (let k = 0; k < rank; k++) sum += up[out * rank + k]! * down[k * inputs + into]!
    return Math.fround(value + scale * sum)
  })
}
