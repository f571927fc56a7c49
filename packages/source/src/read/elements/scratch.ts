/** Working memory in blocks of one size, so that what a read takes depends on how deep its source nests and on nothing else. */
export interface Scratch {
  /** Lends a block, 8-byte aligned and not cleared, for the time of the call. */
  withBlock<T>(use: (block: Uint8Array) => T): T
  /** Lends float32 elements, not cleared, for the time of the call. More than fit a block are allocated. */
  withFloats<T>(count: number, use: (values: Float32Array) => T): T
}

export const scratchBlockBytes = 1 << 18

/** As many elements as fit a block whatever their dtype: what is widened or converted at a time. */
export const stepElements = scratchBlockBytes / 8

/** Creates working memory that grows with the depth of nested calls. */
export function createScratch(): Scratch {
  const free: Uint8Array[] = []

  function withBlock<T>(use: (block: Uint8Array) => T): T {
    const block = free.pop() ?? new Uint8Array(scratchBlockBytes)
    try {
      return use(block)
    } finally {
      free.push(block)
    }
  }

  return {
    withBlock,
    withFloats(count, use) {
      if (count * 4 > scratchBlockBytes) return use(new Float32Array(count))
      return withBlock((block) => use(new Float32Array(block.buffer as ArrayBuffer, block.byteOffset, count)))
    },
  }
}
