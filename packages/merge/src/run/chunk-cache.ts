const pageBytes = 1 << 16

/**
 * Creates buffers for input chunks that stay with a worker between the passes over a tensor. What does not fit is not kept,
 * and what is kept stays until its tensor is forgotten: a pass over more than fits then still finds a part of it.
 */
export function createChunkCache(memory: Uint8Array): ChunkCache {
  const owners: (number | undefined)[] = Array.from({ length: Math.floor(memory.length / pageBytes) }, () => undefined)
  /** By tensor and input slot. */
  const entries = new Map<number, Kept[][]>()

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
    keptUntil(tensor, start) {
      const ofTensor = entries.get(tensor) ?? []
      let until: number | undefined
      for (let slot = 0; slot < ofTensor.length; slot++) {
        const { end } = ofTensor[slot]?.find((kept) => kept.start <= start && start < kept.end) ?? {}
        if (end !== undefined && !(end >= until!)) until = end
      }
      return until
    },
    freeBytes: () => freePages * pageBytes,
    get(tensor, { slot, start, end, byteLength }) {
      const ofSlot = entries.get(tensor)?.[slot]
      if (ofSlot === undefined) return undefined
      for (let index = 0; index < ofSlot.length; index++) {
        const kept = ofSlot[index]!
        if (start < kept.start || end > kept.end) continue
        if (byteLength === kept.buffer.length) return kept.buffer
        const from = (start - kept.start) * (byteLength / (end - start))
        return kept.buffer.subarray(from, from + byteLength)
      }
      return undefined
    },
    add(tensor, { slot, start, end, byteLength }) {
      const pageCount = Math.ceil(byteLength / pageBytes)
      const first = place(pageCount)
      if (first === undefined) return undefined
      owners.fill(tensor, first, first + pageCount)
      freePages -= pageCount
      const buffer = memory.subarray(first * pageBytes, first * pageBytes + byteLength)
      let ofTensor = entries.get(tensor)
      if (ofTensor === undefined) entries.set(tensor, (ofTensor = []))
      ;(ofTensor[slot] ??= []).push({ start, end, buffer })
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

/** Elements [start, end) of an input of a tensor. */
export interface Chunk {
  readonly slot: number
  readonly start: number
  readonly end: number
  readonly byteLength: number
}

interface Kept extends Pick<Chunk, 'start' | 'end'> {
  readonly buffer: Uint8Array
}

export interface ChunkCache {
  /** Tells whether anything of the tensor is kept. */
  has(tensor: number): boolean
  /** Tells up to which element all that is kept from an element on is kept; undefined where it isn't of any input. */
  keptUntil(tensor: number, start: number): number | undefined
  freeBytes(): number
  /** Finds what was kept as a whole, or within more. */
  get(tensor: number, chunk: Chunk): Uint8Array | undefined
  /** @returns a buffer to fill, or undefined where there is no room. */
  add(tensor: number, chunk: Chunk): Uint8Array | undefined
  forget(tensor: number): void
}
