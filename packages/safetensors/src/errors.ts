import { defineError, defineIssues, failure, type IssueOf, shortened, usage } from '@mk/errors'
import { dtypes } from './dtype.ts'

type OfTensor = { readonly tensor: string }

type ShapeOfTensor = OfTensor & {
  /** As JSON. */
  readonly shape: string
}

type DtypeOfTensor = OfTensor & {
  readonly dtype: string
}

type BytesOfTensor = OfTensor & {
  readonly bytes: number
  readonly tensorBytes: number
}

const named = (tensor: string): string => `tensor '${shortened(tensor)}'`

/** A reason may quote the file. */
const clean = (reason: string): string => shortened(reason, 300)

/** A rule of the format each. Bytes are counted from the start of the file. */
const fileRules = defineIssues({
  'file-too-short': usage<{ readonly fileBytes: number }>(
    ({ fileBytes }) =>
      `has ${fileBytes} bytes; a safetensors file starts with 8 bytes that tell the length of its header`,
  ),
  'header-too-long': usage<{ readonly headerBytes: number; readonly limit: number }>(
    ({ headerBytes, limit }) =>
      `says that its header has ${headerBytes} bytes, more than the ${limit} allowed; is this a safetensors file?`,
  ),
  'header-past-end': usage<{ readonly headerBytes: number; readonly fileBytes: number }>(
    ({ headerBytes, fileBytes }) =>
      `says that its header has ${headerBytes} bytes, but the file has only ${fileBytes}; it is truncated or no safetensors file`,
  ),
  'header-not-utf8': usage(() => 'the header is not valid UTF-8'),
  'header-not-json': usage<{ readonly reason: string }>(
    ({ reason }) => `the header is not valid JSON: ${clean(reason)}`,
  ),
  'header-not-object': usage<{ readonly found: string }>(
    ({ found }) => `the header must be a JSON object, found ${found}`,
  ),
  'duplicate-key': usage<{ readonly key: string }>(({ key }) => `the key '${shortened(key)}' occurs twice`),
  'bad-metadata': usage<{ readonly reason: string }>(
    ({ reason }) => `__metadata__ must map strings to strings: ${clean(reason)}`,
  ),
  'bad-entry': usage<OfTensor & { readonly reason: string }>(
    ({ tensor, reason }) => `${named(tensor)} ${clean(reason)}; expected an object of dtype, shape and data_offsets`,
  ),
  'unknown-dtype': usage<DtypeOfTensor>(
    ({ tensor, dtype }) =>
      `${named(tensor)} has the unknown dtype '${shortened(dtype)}'; known are ${dtypes.join(', ')}`,
  ),
  'unsupported-dtype': usage<DtypeOfTensor>(
    ({ tensor, dtype }) =>
      `${named(tensor)} has the unsupported dtype '${shortened(dtype)}'; supported are ${dtypes.join(', ')}`,
  ),
  'bad-shape': usage<ShapeOfTensor>(
    ({ tensor, shape }) =>
      `${named(tensor)} has the shape ${shortened(shape)}; expected a list of integers that are not negative`,
  ),
  'too-many-dimensions': usage<OfTensor & { readonly dimensions: number; readonly limit: number }>(
    ({ tensor, dimensions, limit }) => `${named(tensor)} has ${dimensions} dimensions; expected at most ${limit}`,
  ),
  'shape-overflow': usage<ShapeOfTensor>(
    ({ tensor, shape }) => `${named(tensor)} has the shape ${shortened(shape)}, more bytes than a file can have`,
  ),
  'bad-offsets': usage<OfTensor & { readonly offsets: string }>(
    ({ tensor, offsets }) =>
      `${named(tensor)} has the data_offsets ${shortened(offsets)}; expected [begin, end], integers with 0 ≤ begin ≤ end`,
  ),
  'offsets-out-of-range': usage<OfTensor & { readonly byteEnd: number; readonly fileBytes: number }>(
    ({ tensor, byteEnd, fileBytes }) =>
      `${named(tensor)} ends at byte ${byteEnd}, but the file has only ${fileBytes}; it is truncated`,
  ),
  'size-mismatch': usage<OfTensor & { readonly bytes: number; readonly expectedBytes: number; readonly type: string }>(
    ({ tensor, bytes, expectedBytes, type }) =>
      `${named(tensor)} has ${bytes} bytes; ${shortened(type)} takes ${expectedBytes}`,
  ),
  overlap: usage<OfTensor & { readonly other: string; readonly byte: number }>(
    ({ tensor, other, byte }) => `tensors '${shortened(other)}' and '${shortened(tensor)}' overlap at byte ${byte}`,
  ),
  hole: usage<{ readonly byteStart: number; readonly byteEnd: number; readonly before: string | undefined }>(
    ({ byteStart, byteEnd, before }) =>
      `bytes ${byteStart} to ${byteEnd} belong to no tensor${before === undefined ? '; the file is longer than its header says' : ` (the next is '${shortened(before)}')`}`,
  ),
})

const indexRules = defineIssues({
  'bad-index': usage<{ readonly reason: string }>(({ reason }) => `not a valid index: ${clean(reason)}`),
  'unsafe-path': usage<OfTensor & { readonly path: string }>(
    ({ tensor, path }) =>
      `weight_map places ${named(tensor)} in '${shortened(path)}'; expected a file name inside the same folder`,
  ),
})

const accessRules = defineIssues({
  'reserved-name': usage<OfTensor>(({ tensor }) => `no tensor can have the name '${shortened(tensor)}'`),
  'unknown-tensor': usage<OfTensor>(({ tensor }) => `has no ${named(tensor)}`),
  'write-out-of-range': failure<BytesOfTensor & { readonly offset: number }>(
    ({ tensor, bytes, offset, tensorBytes }) =>
      `cannot write ${bytes} bytes at byte ${offset} of ${named(tensor)}, which has ${tensorBytes}`,
  ),
  incomplete: failure<BytesOfTensor>(
    ({ tensor, bytes, tensorBytes }) => `${named(tensor)} is incomplete: ${bytes} of ${tensorBytes} bytes were written`,
  ),
  'not-a-file': usage<{ readonly found: string }>(({ found }) => `is ${found}; expected a regular file`),
  'file-too-long': usage<{ readonly bytes: number; readonly limit: number }>(
    ({ bytes, limit }) => `has ${bytes} bytes; of a file of this name at most ${limit} are read`,
  ),
  'file-shrank': failure<{ readonly byte: number }>(
    ({ byte }) => `ends at byte ${byte}; it was longer when it was opened`,
  ),
})

const rules = defineIssues({ ...fileRules, ...indexRules, ...accessRules })

/** What can be wrong with a file, an index or a tensor, by code. */
export type SafetensorsIssue = IssueOf<typeof rules>

/** Tells what is wrong with a file, an index or a tensor; `code` says which rule was broken. */
export class SafetensorsError extends defineError('SafetensorsError', rules) {
  /** The file as the caller named it. */
  readonly file: string | undefined

  constructor(issue: SafetensorsIssue, file?: string, options?: ErrorOptions) {
    super(issue, { ...options, prefix: file ?? 'safetensors file' })
    this.file = file
  }
}
