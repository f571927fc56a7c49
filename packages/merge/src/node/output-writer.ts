import { closeSync, openSync, writeSync } from 'node:fs'
import { MergeError } from '../errors.ts'
import { systemReason } from '@mk/errors'
import type { OutputWriter } from '../run/output-writer.ts'

/** A writer has so many files open at most: outputs may have hundreds, and every thread has a writer. */
const mostOpen = 32

/** Creates a writer to files of this machine, which opens them when it needs them. */
export function createOutputWriter(): OutputWriter {
  const descriptors = new Map<string, number>()
  return {
    takesSeveral: true,
    write(file, position, bytes) {
      try {
        let descriptor = descriptors.get(file)
        if (descriptor === undefined) {
          const [oldest] = descriptors
          if (oldest !== undefined && descriptors.size === mostOpen) {
            descriptors.delete(oldest[0])
            closeSync(oldest[1])
          }
          descriptors.set(file, (descriptor = openSync(file, 'r+')))
        }
        for (let written = 0; written < bytes.length;) {
          written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
        }
      } catch (cause) {
        throw new MergeError({ code: 'write-failed', file, reason: systemReason(cause) }, { cause })
      }
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      descriptors.clear()
    },
  }
}
