import { defineError, defineIssues, failure, type IssueOf, quoted, shortened, usage } from '@mk/errors'

type OfTensor = { readonly tensor: string }

type ShapeOfTensor = OfTensor & {
  /** Row-major, as JSON. */
  readonly shape: string
}

const named = (tensor: string): string => `tensor '${shortened(tensor)}'`

/** A rule of the format each. Bytes are counted from the start of the file. */
const fileRules = defineIssues({
  'gguf-magic': usage<{ readonly found: string }>(
    ({ found }) => `starts with ${quoted(found)}; a GGUF file starts with 'GGUF'`,
  ),
  'gguf-version': usage<{ readonly version: number }>(
    ({ version }) => `is version ${version} of GGUF; versions 2 and 3 can be read`,
  ),
  'gguf-big-endian': usage(() => 'is a big-endian GGUF; only little-endian ones can be read'),
  'gguf-truncated': usage<{ readonly byte: number; readonly what: string }>(
    ({ byte, what }) => `ends at byte ${byte}, within ${what}; it is truncated`,
  ),
  'gguf-header-too-long': usage<{ readonly limit: number }>(
    ({ limit }) => `has a header of more than the ${limit} bytes allowed`,
  ),
  'gguf-count': usage<{
    readonly what: string
    readonly count: string
    readonly most: number
    readonly why: 'limit' | 'file'
  }>(
    ({ what, count, most, why }) =>
      `says that it has ${count} ${shortened(what)}; ${why === 'limit' ? `at most ${most} are allowed` : `the rest of the file has room for ${most} at most`}`,
  ),
  'gguf-value-type': usage<{ readonly key: string; readonly id: number }>(
    ({ key, id }) => `the value of '${shortened(key)}' has the unknown type ${id}; known are 0 to 12`,
  ),
  'gguf-bool': usage<{ readonly key: string; readonly found: number }>(
    ({ key, found }) => `the value of '${shortened(key)}' has a bool of ${found}; expected 0 or 1`,
  ),
  'gguf-text': usage<{ readonly what: string; readonly byte: number }>(
    ({ what, byte }) => `${shortened(what)} at byte ${byte} is not valid UTF-8`,
  ),
  'gguf-nesting': usage<{ readonly key: string; readonly limit: number }>(
    ({ key, limit }) => `the value of '${shortened(key)}' has arrays in arrays more than ${limit} deep`,
  ),
  'gguf-duplicate-key': usage<{ readonly key: string }>(({ key }) => `the key '${shortened(key)}' occurs twice`),
  'gguf-duplicate-tensor': usage<OfTensor>(({ tensor }) => `${named(tensor)} occurs twice`),
  'gguf-alignment': usage<{ readonly found: string; readonly limit: number }>(
    ({ found, limit }) =>
      `has the general.alignment ${shortened(found)}; expected a uint32 that is a power of two from 8 to ${limit}`,
  ),
  'gguf-tensor-type': usage<OfTensor & { readonly id: number }>(
    ({ tensor, id }) => `${named(tensor)} has the unknown type ${id}`,
  ),
  'gguf-shape': usage<ShapeOfTensor & { readonly type: string; readonly blockElements: number }>(
    ({ tensor, shape, type, blockElements }) =>
      `${named(tensor)} has the shape ${shortened(shape)}, of which no ${type} can be made; its last dimension must be a multiple of ${blockElements}, and all of it less than 2^53 bytes`,
  ),
  'gguf-offset': usage<OfTensor & { readonly offset: string; readonly alignment: number }>(
    ({ tensor, offset, alignment }) =>
      `${named(tensor)} has the offset ${offset}; expected a multiple of the alignment ${alignment}`,
  ),
  'gguf-out-of-range': usage<OfTensor & { readonly byteEnd: number; readonly fileBytes: number }>(
    ({ tensor, byteEnd, fileBytes }) =>
      `${named(tensor)} ends at byte ${byteEnd}, but the file has only ${fileBytes}; it is truncated`,
  ),
  'gguf-overlap': usage<OfTensor & { readonly other: string; readonly byte: number }>(
    ({ tensor, other, byte }) => `tensors '${shortened(other)}' and '${shortened(tensor)}' overlap at byte ${byte}`,
  ),
})

const accessRules = defineIssues({
  'gguf-value': usage<{ readonly key: string; readonly type: string; readonly found: string }>(
    ({ key, type, found }) => `the value of '${shortened(key)}' is ${shortened(found)}, which is no ${type}`,
  ),
  'gguf-name': usage<OfTensor & { readonly bytes: number; readonly limit: number }>(
    ({ tensor, bytes, limit }) =>
      `${named(tensor)} has a name of ${bytes} bytes; programs that load GGUFs take 1 to ${limit}`,
  ),
  'gguf-blocks': failure<{ readonly type: string; readonly elements: number; readonly bytes: number }>(
    ({ type, elements, bytes }) => `${elements} elements of ${type} are no blocks of ${bytes} bytes`,
  ),
  'gguf-shrank': failure<{ readonly byte: number }>(
    ({ byte }) => `ends at byte ${byte}; it was longer when it was opened`,
  ),
})

const rules = defineIssues({ ...fileRules, ...accessRules })

/** What can be wrong with a file, its metadata or a tensor, by code. */
export type GgufIssue = IssueOf<typeof rules>

/** Tells what is wrong with a file, its metadata or a tensor; `code` says which rule was broken. */
export class GgufError extends defineError('GgufError', rules) {
  /** The file as the caller named it. */
  readonly file: string | undefined

  constructor(issue: GgufIssue, file?: string, options?: ErrorOptions) {
    super(issue, { ...options, prefix: file ?? 'GGUF file' })
    this.file = file
  }
}
