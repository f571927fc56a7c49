import { decode } from '@mk/tensor'
import type { Program } from '@mk/tensor/runtime'

type Dtype = Program['inputs'][number]
/** Widens stored elements from the `start`-th on to float32, as many as `into` holds. */
export type Widen = (dtype: Dtype, bytes: Uint8Array, start: number, into: Float32Array) => void

/** `decode` by looking up: a table of all numbers of each small format that comes along, at most 256 KiB each. */
export function createWiden(): Widen {
  const tables = new Map<Dtype, Float32Array>()
  const tableOf = (dtype: Dtype, patterns: Uint8Array | Uint16Array): Float32Array => {
    const table = new Float32Array(patterns.length)
    patterns.forEach((_, pattern) => (patterns[pattern] = pattern))
    decode(dtype, new Uint8Array(patterns.buffer), 0, table)
    tables.set(dtype, table)
    return table
  }
  return (dtype, bytes, start, into) => {
    switch (dtype) {
      case 'F16':
      case 'BF16': {
        const table = tables.get(dtype) ?? tableOf(dtype, new Uint16Array(2 ** 16))
        for (let i = 0, at = 2 * start; i < into.length; i++, at += 2)
          into[i] = table[bytes[at]! | (bytes[at + 1]! << 8)]!
        return
      }
      case 'F8_E4M3':
      case 'F8_E5M2': {
        const table = tables.get(dtype) ?? tableOf(dtype, new Uint8Array(2 ** 8))
        for (let i = 0; i < into.length; i++) into[i] = table[bytes[start + i]!]!
        return
      }
      default:
        decode(dtype, bytes, start, into)
    }
  }
}
