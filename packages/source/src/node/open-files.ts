import { closeSync, constants, openSync, readSync } from 'node:fs'
import { systemReason } from '@mk/errors'
import { SourceError } from '../read/errors.ts'
import type { OpenFiles } from '../read/open-files.ts'

/** Without waiting, should a pipe have taken the place of the file since it was opened. */
const readOnly = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const maxReadBytes = 1 << 30

/**
 * Creates a table of files of this machine, opened on first use; at first empty.
 * @param limit how many files stay open; the one unused for longest is closed first
 */
export function createOpenFiles(limit = 64): OpenFiles {
  const descriptors = new Map<string, number>()

  const descriptorOf = (file: string): number => {
    const known = descriptors.get(file)
    if (known !== undefined) {
      descriptors.delete(file)
      descriptors.set(file, known)
      return known
    }
    if (descriptors.size >= limit) {
      const [oldest, descriptor] = descriptors.entries().next().value!
      descriptors.delete(oldest)
      closeSync(descriptor)
    }
    const descriptor = attempt(file, () => openSync(file, readOnly))
    descriptors.set(file, descriptor)
    return descriptor
  }

  return {
    read(file, byteStart, into) {
      const descriptor = descriptorOf(file)
      for (let done = 0; done < into.length;) {
        const wanted = Math.min(into.length - done, maxReadBytes)
        const bytesRead = attempt(file, () => readSync(descriptor, into, done, wanted, byteStart + done))
        if (bytesRead === 0)
          throw new SourceError({
            code: 'file-ended',
            file,
            byte: byteStart + done,
            byteEnd: byteStart + into.length,
          })
        done += bytesRead
      }
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      descriptors.clear()
    },
  }
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new SourceError({ code: 'unreadable-file', file, reason: systemReason(cause) }, { cause })
  }
}
