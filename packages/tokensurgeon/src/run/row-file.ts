import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { RowStore } from '../rows/row-store.ts'
import type { RowFile } from './task.ts'

/** Files of rows that a thread has open. */
export interface RowFiles {
  open(file: RowFile): RowStore
  /** Writes float32 at a place counted in elements. */
  write(file: RowFile, at: number, values: Float32Array): void
  close(): void
}

/** Opens files of rows as they are asked for. */
export function createRowFiles(): RowFiles {
  const handles = new Map<string, number>()
  const handleOf = (path: string): number => {
    const known = handles.get(path)
    if (known !== undefined) return known
    const handle = openSync(path, 'r+')
    handles.set(path, handle)
    return handle
  }
  return {
    open({ path, rows, width }) {
      const handle = handleOf(path)
      return {
        rows,
        width,
        read(first, count, into) {
          const bytes = new Uint8Array(into.buffer, into.byteOffset, 4 * count * width)
          transfer(bytes.byteLength, (done) =>
            readSync(handle, bytes, done, bytes.byteLength - done, 4 * first * width + done),
          )
        },
      }
    },
    write({ path }, at, values) {
      const handle = handleOf(path)
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
      transfer(bytes.byteLength, (done) => writeSync(handle, bytes, done, bytes.byteLength - done, 4 * at + done))
    },
    close() {
      for (const handle of handles.values()) closeSync(handle)
      handles.clear()
    },
  }
}

/** One call may do less than it was asked for. */
function transfer(byteCount: number, step: (done: number) => number): void {
  for (let done = 0; done < byteCount;) {
    const moved = step(done)
    if (moved === 0) throw new Error('a file of rows is shorter than it was')
    done += moved
  }
}
