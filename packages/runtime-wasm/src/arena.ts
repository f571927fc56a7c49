import { TensorError } from '@mk/tensor'
import { RuntimeWasmError, unavailable } from './errors.ts'
import {
  COMPRESS_HALVES_TABLE,
  COMPRESS_TABLE,
  compressHalvesTable,
  compressTable,
  FIRST_FREE,
} from './generator/layout.ts'

const PAGE_BYTES = 65536
const ALIGNMENT = 64
/** The most that a module may address. */
const LARGEST = 2 ** 32 - PAGE_BYTES
/** Vector operations may read that far past a buffer. */
const OVERREAD_BYTES = 64

/** One memory: what is handed out for good grows from its start, what a call needs from its end. */
export interface Arena {
  readonly memory: WebAssembly.Memory
  readonly pages: number
  readonly buffer: ArrayBuffer
  /** Bytes that stay the caller's. */
  allocate(byteLength: number): Uint8Array
  /** Room for one call; `take` gives addresses until the next `scratch`. */
  scratch(purpose: string): Scratch
}

export interface Scratch {
  /** Address of so many bytes of unspecified content, aligned to 64. */
  take(byteLength: number): number
}

/**
 * Creates the memory of a runtime, which never grows (docs/decisions/wasm-memory-of-fixed-size.md).
 * @param memoryBytes address space, rounded up to whole pages; the system provides it as it is touched
 * @throws TensorError 'runtime-option' or 'runtime-unavailable'
 */
export function createArena(memoryBytes: number): Arena {
  if (!(memoryBytes >= PAGE_BYTES && memoryBytes <= LARGEST))
    throw new TensorError({
      code: 'runtime-option',
      option: 'memoryBytes',
      value: memoryBytes,
      expected: `a number from ${PAGE_BYTES} to ${LARGEST}`,
    })
  const pages = Math.ceil(memoryBytes / PAGE_BYTES)
  const memory = createMemory(pages)
  const buffer = memory.buffer as ArrayBuffer
  new Uint8Array(buffer).set(compressTable(), COMPRESS_TABLE)
  new Uint8Array(buffer).set(compressHalvesTable(), COMPRESS_HALVES_TABLE)
  let low = align(FIRST_FREE)
  let high = 0
  let taken = 0
  let takenFor = ''
  // One for all calls, of which there are thousands.
  const scratch: Scratch = {
    take(byteLength) {
      taken += byteLength
      const start = (high - byteLength) & -ALIGNMENT
      const address = start >>> 0
      if (byteLength > high - low || address < low) exhausted(taken, buffer.byteLength - OVERREAD_BYTES - low, takenFor)
      high = address
      return address
    },
  }
  const exhausted = (neededBytes: number, freeBytes: number, purpose: string): never => {
    throw new RuntimeWasmError({
      code: 'memory-exhausted',
      neededBytes,
      freeBytes: Math.max(0, freeBytes),
      memoryBytes: buffer.byteLength,
      purpose,
    })
  }
  return {
    memory,
    pages,
    buffer,
    allocate(byteLength) {
      const end = low + byteLength
      if (end > buffer.byteLength - OVERREAD_BYTES)
        exhausted(byteLength, buffer.byteLength - OVERREAD_BYTES - low, 'a buffer')
      const bytes = new Uint8Array(buffer, low, byteLength)
      low = align(end)
      return bytes
    },
    scratch(purpose) {
      high = buffer.byteLength - OVERREAD_BYTES
      taken = 0
      takenFor = purpose
      return scratch
    },
  }
}

const align = (address: number): number => Math.ceil(address / ALIGNMENT) * ALIGNMENT

function createMemory(pages: number): WebAssembly.Memory {
  if (typeof WebAssembly === 'undefined') throw unavailable('there is no WebAssembly')
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages })
  } catch (cause) {
    throw unavailable(`the engine has no memory of ${pages * PAGE_BYTES} bytes for it`, { cause, mend: 'memory' })
  }
}
