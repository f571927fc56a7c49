import type { Runtime } from '@mk/tensor/runtime'

/** Buffers start at multiples of this: pages, which the system copies whole, and lines, which vectors load. */
const alignment = 2 ** 12

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/** Creates what gives buffers of a runtime's memory, which hold until it is asked again. */
export function createScratch(runtime: Runtime): (byteLengths: readonly number[]) => Uint8Array[] {
  let scratch: Uint8Array = new Uint8Array(0)
  return (byteLengths) => {
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
    return buffers
  }
}
