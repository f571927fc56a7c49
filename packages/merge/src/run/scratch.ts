import type { Runtime } from '@mk/tensor/runtime'

/** Buffers start at multiples of this: pages, which the system copies whole, and lines, which vectors load. */
const alignment = 2 ** 12

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/** Creates what gives buffers of a runtime's memory, which hold until it is asked again. */
export function createScratch(runtime: Runtime): (byteLengths: readonly number[]) => readonly Uint8Array[] {
  let scratch: Uint8Array = new Uint8Array(0)
  let given: readonly Uint8Array[] = []
  return (byteLengths) => {
    // Most calls are as long as the one before.
    if (areOf(given, byteLengths)) return given
    let total = 0
    for (const byteLength of byteLengths) total += aligned(byteLength)
    if (total > scratch.length) {
      const memory = runtime.allocate(Math.max(total, scratch.length * 2) + alignment)
      scratch = memory.subarray(aligned(memory.byteOffset) - memory.byteOffset)
    }
    const buffers: Uint8Array[] = []
    let position = 0
    for (const byteLength of byteLengths) {
      buffers.push(scratch.subarray(position, position + byteLength))
      position += aligned(byteLength)
    }
    return (given = buffers)
  }
}

function areOf(buffers: readonly Uint8Array[], byteLengths: readonly number[]): boolean {
  if (buffers.length !== byteLengths.length) return false
  for (let i = 0; i < buffers.length; i++) if (buffers[i]!.length !== byteLengths[i]) return false
  return true
}
