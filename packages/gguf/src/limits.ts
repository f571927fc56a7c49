/**
 * What a header may have at most. It is held before anything is made of a number, so that what a stranger writes costs no more
 * than its reading. `layoutGguf` keeps the same limits, so that what it writes can be read.
 */
export const limits = {
  /** Vocabularies of 260,000 tokens with scores, types and merges make headers of 20 MB. */
  headerBytes: 100_000_000,
  /** Models have about a hundred keys. */
  keys: 2 ** 16,
  /** Experts are stacked, so that models of hundreds of layers have some thousand tensors; not all converters do that. */
  tensors: 2 ** 17,
  /** Of the specification. */
  keyBytes: 2 ** 16 - 1,
  /** The specification has 64. Other programs wrote longer ones, but nobody wrote a page. */
  nameBytes: 1024,
  /** Names of 64 bytes and more are refused by ggml, so that they aren't written. */
  writtenNameBytes: 63,
  /** A chat template has up to 20,000. */
  stringBytes: 2 ** 22,
  /** Of all arrays together: the largest vocabularies have 260,000 tokens, 520,000 merges, and a few numbers for each. */
  elements: 2 ** 21,
  /** Arrays in arrays, and arrays of these, are allowed; nobody writes them. */
  innerArrays: 2 ** 16,
  depth: 8,
  /** `GGML_MAX_DIMS`. */
  dimensions: 4,
  /** The largest page of any system; writers use 32. */
  alignment: 2 ** 16,
} as const
