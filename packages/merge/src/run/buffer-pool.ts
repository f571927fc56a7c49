/** Buffers that are lent again and again, since a runtime never takes any back. */
export interface BufferPool {
  /** Lends a buffer of that length, not cleared. */
  take(byteLength: number): Uint8Array
  /** Takes it back, if it was lent; a part of one that is lent stays lent. */
  give(buffer: Uint8Array): void
}

/** What is allocated is a multiple of this, so that a buffer serves for other lengths, too, and is aligned. */
const pageBytes = 2 ** 16

/** Creates a pool that is empty at first. @param allocate for good */
export function createBufferPool(allocate: (byteLength: number) => Uint8Array): BufferPool {
  const free: Uint8Array[] = []
  const lent = new Map<Uint8Array, Uint8Array>()
  return {
    take(byteLength) {
      let best = -1
      free.forEach((block, index) => {
        if (block.length >= byteLength && (best < 0 || block.length < free[best]!.length)) best = index
      })
      const block =
        best < 0 ? allocate(Math.max(1, Math.ceil(byteLength / pageBytes)) * pageBytes) : free.splice(best, 1)[0]!
      const buffer = block.subarray(0, byteLength)
      lent.set(buffer, block)
      return buffer
    },
    give(buffer) {
      const block = lent.get(buffer)
      if (block === undefined) return
      lent.delete(buffer)
      free.push(block)
    },
  }
}
