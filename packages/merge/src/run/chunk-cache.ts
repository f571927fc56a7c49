const pageBytes = 1 << 16

/**
 * Creates buffers for input chunks that stay with a worker between the passes over a tensor. What does not fit is not kept,
 * and what is kept stays until its tensor is forgotten: a pass over more than fits then still finds a part of it.
 */
export function createChunkCache(memory: Uint8Array): ChunkCache {
  const owners: (number | undefined)[] = Array.from({ length: Math.floor(memory.length / pageBytes) }, () => undefined)
  /** By tensor, input slot and first element. */
  const entries = new Map<number, Map<number, Uint8Array>[]>()

  let freePages = owners.length
  const place = (pageCount: number): number | undefined => {
    if (pageCount > freePages) return undefined
    let free = 0
    for (let page = 0; page < owners.length; page++) {
      free = owners[page] === undefined ? free + 1 : 0
      if (free === pageCount) return page - pageCount + 1
    }
    return undefined
  }

  return {
    has: (tensor) => entries.has(tensor),
    holds(tensor, start) {
      const ofTensor = entries.get(tensor) ?? []
      for (let slot = 0; slot < ofTensor.length; slot++) if (ofTensor[slot]?.has(start)) return true
      return false
    },
    freeBytes: () => freePages * pageBytes,
    get(tensor, { slot, start, byteLength }) {
      const buffer = entries.get(tensor)?.[slot]?.get(start)
      return buffer?.length === byteLength ? buffer : undefined
    },
    add(tensor, { slot, start, byteLength }) {
      const pageCount = Math.ceil(byteLength / pageBytes)
      const first = place(pageCount)
      if (first === undefined) return undefined
      owners.fill(tensor, first, first + pageCount)
      freePages -= pageCount
      const buffer = memory.subarray(first * pageBytes, first * pageBytes + byteLength)
      let ofTensor = entries.get(tensor)
      if (ofTensor === undefined) entries.set(tensor, (ofTensor = []))
      ;(ofTensor[slot] ??= new Map()).set(start, buffer)
      return buffer
    },
    forget(tensor) {
      if (!entries.delete(tensor)) return
      for (let page = 0; page < owners.length; page++) {
        if (owners[page] !== tensor) continue
        owners[page] = undefined
        freePages++
      }
    },
  }
}

/** Consecutive elements of an input of a tensor. */
interface Chunk {
  readonly slot: number
  /** The first element. */
  readonly start: number
  readonly byteLength: number
}

export interface ChunkCache {
  /** Tells whether anything of the tensor is kept. */
  has(tensor: number): boolean
  /** Tells whether anything of the tensor is kept that begins at an element. */
  holds(tensor: number, start: number): boolean
  freeBytes(): number
  get(tensor: number, chunk: Chunk): Uint8Array | undefined
  /** @returns a buffer to fill, or undefined where there is no room. */
  add(tensor: number, chunk: Chunk): Uint8Array | undefined
  forget(tensor: number): void
}
