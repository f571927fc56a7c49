const pageBytes = 1 << 18

/**
 * Creates buffers for input chunks that stay with a worker between the passes over a tensor. What does not fit is not kept,
 * and what is kept stays until its tensor is forgotten: a pass over more than fits then still finds a part of it.
 */
export function createChunkCache(memory: Uint8Array): ChunkCache {
  const owners: (number | undefined)[] = Array.from({ length: Math.floor(memory.length / pageBytes) }, () => undefined)
  const entries = new Map<number, Map<string, Uint8Array>>()

  const place = (pageCount: number): number | undefined => {
    let free = 0
    for (let page = 0; page < owners.length; page++) {
      free = owners[page] === undefined ? free + 1 : 0
      if (free === pageCount) return page - pageCount + 1
    }
    return undefined
  }

  return {
    get: (tensor, key) => entries.get(tensor)?.get(key),
    add(tensor, key, byteLength) {
      const pageCount = Math.ceil(byteLength / pageBytes)
      const first = place(pageCount)
      if (first === undefined) return undefined
      owners.fill(tensor, first, first + pageCount)
      const buffer = memory.subarray(first * pageBytes, first * pageBytes + byteLength)
      let ofTensor = entries.get(tensor)
      if (ofTensor === undefined) entries.set(tensor, (ofTensor = new Map()))
      ofTensor.set(key, buffer)
      return buffer
    },
    forget(tensor) {
      if (!entries.delete(tensor)) return
      for (let page = 0; page < owners.length; page++) if (owners[page] === tensor) owners[page] = undefined
    },
  }
}

export interface ChunkCache {
  get(tensor: number, key: string): Uint8Array | undefined
  /** @returns a buffer to fill, or undefined where there is no room. */
  add(tensor: number, key: string, byteLength: number): Uint8Array | undefined
  forget(tensor: number): void
}
