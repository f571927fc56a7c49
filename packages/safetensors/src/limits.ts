import type { JsonLimits } from './json-limits.ts'

/**
 * What a header or an index may have at most. A file over a limit is refused before it is parsed, so that what a stranger
 * writes costs no more than its reading.
 */
export const limits = {
  /** The limit of the reference implementation on the JSON of a header. */
  headerJsonBytes: 100_000_000,
  /** An index is one line per tensor, as a header is. */
  indexCharacters: 100_000_000,
  /** As torch has it. */
  dimensions: 64,
  /** Model families with the most experts have some 1,500 tensors a layer, and shards hold a few layers each. */
  tensorsPerFile: 2 ** 17,
  /** The largest quantized mixtures of experts have about 210,000 in all shards together. */
  tensorsPerIndex: 2 ** 18,
} as const

/** Names of tensors are module paths of a hundred characters; a key that is longer than a header's first read is none. */
const keyCharacters = 2 ** 18

/** Dtype, shape with a few dimensions, and offsets of each tensor; metadata besides. */
export const headerLimits: JsonLimits = {
  depth: 64,
  topKeys: limits.tensorsPerFile,
  keys: limits.tensorsPerFile * 5,
  values: limits.tensorsPerFile * 16,
  keyCharacters,
}

export const indexLimits: JsonLimits = {
  depth: 64,
  topKeys: 1000,
  keys: limits.tensorsPerIndex + 1000,
  values: limits.tensorsPerIndex * 2,
  keyCharacters,
}
