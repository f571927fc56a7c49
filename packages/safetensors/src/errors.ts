import { dtypes } from './dtype.ts'

/** What is wrong with a file, one variant per rule of the format. Bytes are counted from the start of the file. */
export type SafetensorsIssue =
  | { readonly code: 'file-too-short'; readonly fileBytes: number }
  | { readonly code: 'header-too-long'; readonly headerBytes: number; readonly limit: number }
  | { readonly code: 'header-past-end'; readonly headerBytes: number; readonly fileBytes: number }
  | { readonly code: 'not-utf8' }
  | { readonly code: 'not-json'; readonly reason: string }
  | { readonly code: 'not-object'; readonly found: string }
  | { readonly code: 'duplicate-key'; readonly key: string }
  | { readonly code: 'bad-metadata'; readonly reason: string }
  | { readonly code: 'bad-entry'; readonly tensor: string; readonly reason: string }
  | { readonly code: 'unknown-dtype'; readonly tensor: string; readonly dtype: string }
  | { readonly code: 'unsupported-dtype'; readonly tensor: string; readonly dtype: string }
  | { readonly code: 'bad-shape'; readonly tensor: string; readonly shape: string }
  | { readonly code: 'shape-overflow'; readonly tensor: string; readonly shape: string }
  | { readonly code: 'bad-offsets'; readonly tensor: string; readonly offsets: string }
  | {
      readonly code: 'offsets-out-of-range'
      readonly tensor: string
      readonly byteEnd: number
      readonly fileBytes: number
    }
  | {
      readonly code: 'size-mismatch'
      readonly tensor: string
      readonly bytes: number
      readonly expectedBytes: number
      readonly type: string
    }
  | { readonly code: 'overlap'; readonly tensor: string; readonly other: string; readonly byte: number }
  | { readonly code: 'hole'; readonly byteStart: number; readonly byteEnd: number; readonly before: string | undefined }
  | { readonly code: 'bad-index'; readonly reason: string }
  | { readonly code: 'unsafe-path'; readonly tensor: string; readonly path: string }
  | { readonly code: 'reserved-name'; readonly tensor: string }
  | { readonly code: 'unknown-tensor'; readonly tensor: string }
  | {
      readonly code: 'write-out-of-range'
      readonly tensor: string
      readonly offset: number
      readonly bytes: number
      readonly tensorBytes: number
    }
  | { readonly code: 'incomplete'; readonly tensor: string; readonly bytes: number; readonly tensorBytes: number }
  | { readonly code: 'file-shrank'; readonly byte: number }

/** Every failure of this package but those of the operating system. */
export class SafetensorsError extends Error {
  override readonly name = 'SafetensorsError'
  readonly issue: SafetensorsIssue
  readonly file: string | undefined

  constructor(issue: SafetensorsIssue, file?: string, options?: ErrorOptions) {
    super(`${file ?? 'safetensors file'}: ${describe(issue)}`, options)
    this.issue = issue
    this.file = file
  }

  get code(): SafetensorsIssue['code'] {
    return this.issue.code
  }
}

function describe(issue: SafetensorsIssue): string {
  switch (issue.code) {
    case 'file-too-short':
      return `has ${issue.fileBytes} bytes; a safetensors file starts with 8 bytes that tell the length of its header`
    case 'header-too-long':
      return `says that its header has ${issue.headerBytes} bytes, more than the ${issue.limit} allowed; is this a safetensors file?`
    case 'header-past-end':
      return `says that its header has ${issue.headerBytes} bytes, but the file has only ${issue.fileBytes}; it is truncated or no safetensors file`
    case 'not-utf8':
      return 'the header is not valid UTF-8'
    case 'not-json':
      return `the header is not valid JSON: ${issue.reason}`
    case 'not-object':
      return `the header must be a JSON object, found ${issue.found}`
    case 'duplicate-key':
      return `the key '${issue.key}' occurs twice`
    case 'bad-metadata':
      return `__metadata__ must map strings to strings: ${issue.reason}`
    case 'bad-entry':
      return `tensor '${issue.tensor}' ${issue.reason}; expected an object of dtype, shape and data_offsets`
    case 'unknown-dtype':
      return `tensor '${issue.tensor}' has the unknown dtype '${issue.dtype}'; known are ${dtypes.join(', ')}`
    case 'unsupported-dtype':
      return `tensor '${issue.tensor}' has the unsupported dtype '${issue.dtype}'; supported are ${dtypes.join(', ')}`
    case 'bad-shape':
      return `tensor '${issue.tensor}' has the shape ${issue.shape}; expected a list of integers that are not negative`
    case 'shape-overflow':
      return `tensor '${issue.tensor}' has the shape ${issue.shape}, more bytes than a file can have`
    case 'bad-offsets':
      return `tensor '${issue.tensor}' has the data_offsets ${issue.offsets}; expected [begin, end], integers with 0 ≤ begin ≤ end`
    case 'offsets-out-of-range':
      return `tensor '${issue.tensor}' ends at byte ${issue.byteEnd}, but the file has only ${issue.fileBytes}; it is truncated`
    case 'size-mismatch':
      return `tensor '${issue.tensor}' has ${issue.bytes} bytes; ${issue.type} takes ${issue.expectedBytes}`
    case 'overlap':
      return `tensors '${issue.other}' and '${issue.tensor}' overlap at byte ${issue.byte}`
    case 'hole':
      return `bytes ${issue.byteStart} to ${issue.byteEnd} belong to no tensor${issue.before === undefined ? '; the file is longer than its header says' : ` (the next is '${issue.before}')`}`
    case 'bad-index':
      return `not a valid index: ${issue.reason}`
    case 'unsafe-path':
      return `weight_map places tensor '${issue.tensor}' in '${issue.path}'; expected a file name inside the same folder`
    case 'reserved-name':
      return `no tensor can have the name '${issue.tensor}'`
    case 'unknown-tensor':
      return `has no tensor '${issue.tensor}'`
    case 'write-out-of-range':
      return `cannot write ${issue.bytes} bytes at byte ${issue.offset} of tensor '${issue.tensor}', which has ${issue.tensorBytes}`
    case 'incomplete':
      return `tensor '${issue.tensor}' is incomplete: ${issue.bytes} of ${issue.tensorBytes} bytes were written`
    case 'file-shrank':
      return `ends at byte ${issue.byte}; it was longer when it was opened`
    default:
      return issue satisfies never
  }
}
