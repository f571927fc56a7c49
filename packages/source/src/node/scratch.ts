/** Working memory in blocks of one size, so that what a read takes depends on how deep its source nests and on nothing else. */
export interface Scratch {
  /** Lends a block, 8-byte aligned and not cleared, for the time of the call. */
  withBlock<T>(use: (block: Uint8Array) => T): T
}

export const scratchBlockBytes = 1 << 18

export function createScratch(): Scratch {
  const free: Uint8Array[] = []
  return {
    withBlock(use) {
      const block = free.pop() ?? new Uint8Array(scratchBlockBytes)
      try {
        return use(block)
      } finally {
        free.push(block)
      }
    },
  }
}
