const GUARD_BYTES = 32
const GUARD = 0xa5

/** A buffer between guard bytes. */
interface Slot {
  readonly bytes: Uint8Array
  /** Tells whether the guard bytes are as they were. */
  isClean(): boolean
}

/** Gives a buffer with contents, or undefined where there is no room left. */
export type Allocate = (byteLength: number, contents?: Uint8Array) => Slot | undefined

/** Hands out buffers between guard bytes: of their own and badly aligned, or in `shared` and well aligned, as long as there is room. */
export function createPlace(shared: Uint8Array | undefined, seed: number): Allocate {
  let used = 0
  let buffers = 0
  return (size, contents) => {
    const space = Math.ceil(size / 16) * 16 + 2 * GUARD_BYTES
    if (shared !== undefined && used + space > shared.byteLength) return undefined
    const odd = shared === undefined ? (seed + 3 * buffers++) % 8 : 0
    const region = shared === undefined ? new Uint8Array(space + 8) : shared.subarray(used, used + space)
    used += space
    region.fill(GUARD)
    const start = GUARD_BYTES + odd
    const bytes = region.subarray(start, start + size)
    if (contents) bytes.set(contents)
    const isClean = () => isGuard(region, 0, start) && isGuard(region, start + size, region.byteLength)
    return { bytes, isClean }
  }
}

function isGuard(region: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (region[i] !== GUARD) return false
  return true
}
