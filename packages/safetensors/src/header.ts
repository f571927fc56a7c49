import { quoted } from '@mk/errors'
import { type Dtype, dtypeBytes, elementCount, isDtype, isSameShape, unsupportedDtypes } from './dtype.ts'
import { SafetensorsError, type SafetensorsIssue } from './errors.ts'
import { isJsonObject, jsonKind, parseJson } from './json.ts'
import { headerLimits, limits } from './limits.ts'

/** The place of a tensor in a file: its elements are row-major and little-endian in bytes [byteStart, byteEnd) of the file. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly byteStart: number
  readonly byteEnd: number
}

/** The header of a file, checked. */
export interface SafetensorsHeader {
  /** In the order of their bytes. */
  readonly tensors: readonly TensorEntry[]
  readonly metadata: Readonly<Record<string, string>>
  /** Where the tensors' bytes begin: the 8 bytes of the length and the JSON. */
  readonly headerBytes: number
}

/** The limit of the reference implementation on the JSON of a header. */
export const maxHeaderJsonBytes: number = limits.headerJsonBytes

/**
 * Tells how many bytes at the start of a file `parseHeader` needs: 8 and the JSON.
 * @param first at least the first 8 bytes of the file, or all of a shorter one.
 * @throws SafetensorsError `file-too-short`, `header-too-long`, `header-past-end`.
 */
export function readHeaderLength(first: Uint8Array, fileBytes: number, file?: string): number {
  if (first.length < 8 || fileBytes < 8) throw new SafetensorsError({ code: 'file-too-short', fileBytes }, file)
  const headerBytes = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true))
  if (headerBytes > maxHeaderJsonBytes)
    throw new SafetensorsError({ code: 'header-too-long', headerBytes, limit: maxHeaderJsonBytes }, file)
  if (8 + headerBytes > fileBytes) throw new SafetensorsError({ code: 'header-past-end', headerBytes, fileBytes }, file)
  return 8 + headerBytes
}

/**
 * Parses and checks everything that the format demands of a header: after it every tensor's bytes lie inside the file,
 * fit its dtype and shape, and the tensors cover the file without overlap or hole.
 * Format: https://github.com/huggingface/safetensors#format
 *
 * @param bytes from the start of the file, at least as many as `readHeaderLength` tells.
 * @param fileBytes the size of the whole file.
 * @param file named in errors.
 * @throws SafetensorsError with one code per broken rule.
 */
export function parseHeader(bytes: Uint8Array, fileBytes: number, file?: string): SafetensorsHeader {
  const headerBytes = readHeaderLength(bytes, fileBytes, file)
  if (bytes.length < headerBytes)
    throw new RangeError(`parseHeader needs the first ${headerBytes} bytes of the file, got ${bytes.length}`)
  const fail = (issue: SafetensorsIssue, cause?: unknown): never => {
    throw new SafetensorsError(issue, file, { cause })
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, headerBytes))
  } catch (cause) {
    return fail({ code: 'header-not-utf8' }, cause)
  }
  const json = parseJson(
    text,
    headerLimits,
    file,
    (reason) => new SafetensorsError({ code: 'header-not-json', reason }, file),
  )
  if (!isJsonObject(json)) return fail({ code: 'header-not-object', found: jsonKind(json) })

  const { __metadata__: metadata = {} } = json
  const tensors: TensorEntry[] = []
  const place = { headerBytes, fileBytes, shapes: createShapes() }
  for (const name of Object.keys(json))
    if (name !== '__metadata__') tensors.push(parseEntry(name, json[name], place, fail))
  tensors.sort((a, b) => a.byteStart - b.byteStart || a.byteEnd - b.byteEnd)
  checkCoverage(tensors, headerBytes, fileBytes, fail)
  return { tensors, metadata: parseMetadata(metadata, fail), headerBytes }
}

type Fail = (issue: SafetensorsIssue) => never

function parseMetadata(metadata: unknown, fail: Fail): Record<string, string> {
  if (!isJsonObject(metadata)) return fail({ code: 'bad-metadata', reason: `found ${jsonKind(metadata)}` })
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') fail({ code: 'bad-metadata', reason: `${quoted(key)} is ${jsonKind(value)}` })
  }
  return metadata as Record<string, string>
}

interface FilePlace {
  readonly headerBytes: number
  readonly fileBytes: number
  /** Gives equal shapes as one. */
  readonly shapes: (shape: readonly number[]) => readonly number[]
}

/** Shapes that are looked through for each tensor: a model's are few. */
const mostShapes = 16

function createShapes(): FilePlace['shapes'] {
  const known: (readonly number[])[] = []
  return (shape) => {
    const same = known.find((each) => isSameShape(each, shape))
    if (same !== undefined) return same
    if (known.length === mostShapes) known.pop()
    known.unshift(shape)
    return shape
  }
}

function parseEntry(
  name: string,
  entry: unknown,
  { headerBytes, fileBytes, shapes }: FilePlace,
  fail: Fail,
): TensorEntry {
  if (!isJsonObject(entry)) return fail({ code: 'bad-entry', tensor: name, reason: `is ${jsonKind(entry)}` })
  const { dtype, shape, data_offsets: offsets } = entry
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    const absent = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets'
    return fail({ code: 'bad-entry', tensor: name, reason: `has no ${absent}` })
  }
  if (typeof dtype !== 'string')
    return fail({ code: 'bad-entry', tensor: name, reason: `has a dtype that is ${jsonKind(dtype)}` })
  if (!isDtype(dtype))
    return fail({
      code: unsupportedDtypes.includes(dtype) ? 'unsupported-dtype' : 'unknown-dtype',
      tensor: name,
      dtype,
    })

  if (!isIntegers(shape)) return fail({ code: 'bad-shape', tensor: name, shape: quoted(shape) })
  if (shape.length > limits.dimensions)
    return fail({ code: 'too-many-dimensions', tensor: name, dimensions: shape.length, limit: limits.dimensions })
  const expectedBytes = checkedBytes(dtype, shape)
  if (expectedBytes === undefined) return fail({ code: 'shape-overflow', tensor: name, shape: quoted(shape) })

  if (!isIntegers(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    return fail({ code: 'bad-offsets', tensor: name, offsets: quoted(offsets) })
  }
  const byteStart = headerBytes + offsets[0]!
  const byteEnd = headerBytes + offsets[1]!
  if (byteEnd > fileBytes) fail({ code: 'offsets-out-of-range', tensor: name, byteEnd, fileBytes })
  const bytes = byteEnd - byteStart
  if (bytes !== expectedBytes)
    fail({ code: 'size-mismatch', tensor: name, bytes, expectedBytes, type: `${dtype} [${shape.join(', ')}]` })
  return { name, dtype, shape: shapes(shape), byteStart, byteEnd }
}

function isIntegers(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false
  for (const item of value) if (!Number.isInteger(item) || (item as number) < 0) return false
  return true
}

/**
 * Counts the bytes of a tensor; undefined where a dimension, their product or the bytes are past 2^53: a zero dimension does
 * not excuse the others.
 */
export function checkedBytes(dtype: Dtype, shape: readonly number[]): number | undefined {
  let nonZero = dtypeBytes(dtype)
  for (let axis = 0; axis < shape.length; axis++) nonZero *= shape[axis]! || 1
  return Number.isSafeInteger(nonZero) ? dtypeBytes(dtype) * elementCount(shape) : undefined
}

function checkCoverage(tensors: readonly TensorEntry[], headerBytes: number, fileBytes: number, fail: Fail): void {
  let covered = headerBytes
  let previous = ''
  for (const { name, byteStart, byteEnd } of tensors) {
    if (byteStart < covered) fail({ code: 'overlap', tensor: name, other: previous, byte: byteStart })
    if (byteStart > covered) fail({ code: 'hole', byteStart: covered, byteEnd: byteStart, before: name })
    covered = byteEnd
    previous = name
  }
  if (covered < fileBytes) fail({ code: 'hole', byteStart: covered, byteEnd: fileBytes, before: undefined })
}
