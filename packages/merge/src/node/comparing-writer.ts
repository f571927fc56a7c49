import { closeSync, openSync, readSync } from 'node:fs'
import type { OutputWriter } from '../run/output-writer.ts'
import type { ByteDifference } from '../run/worker-port.ts'

/** Creates a writer that writes nothing, and compares what it is given with what is there. */
export function createComparingWriter(onDifference: (difference: ByteDifference) => void): OutputWriter {
  const descriptors = new Map<string, number>()
  let there = new Uint8Array(0)
  return {
    write(file, position, bytes) {
      let descriptor = descriptors.get(file)
      if (descriptor === undefined) descriptors.set(file, (descriptor = openSync(file, 'r')))
      if (there.length < bytes.length) there = new Uint8Array(bytes.length)
      let read = 0
      while (read < bytes.length) {
        const count = readSync(descriptor, there, read, bytes.length - read, position + read)
        if (count === 0) break
        read += count
      }
      const found = there.subarray(0, read)
      if (Buffer.compare(found, bytes) === 0) return
      const first = bytes.findIndex((byte, index) => byte !== found[index])
      onDifference({ file, position: position + first })
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      descriptors.clear()
    },
  }
}
