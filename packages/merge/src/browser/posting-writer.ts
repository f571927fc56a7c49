import type { OutputWriter } from '../run/output-writer.ts'
import type { PoolPort } from '../run/worker-port.ts'

/** Hands over what is written to whoever runs the pool: for workers that have no files. */
export const createPostingWriter = (port: Pick<PoolPort, 'post'>): OutputWriter => ({
  takesSeveral: true,
  write(file, position, bytes) {
    const copy = bytes.slice() as Uint8Array<ArrayBuffer>
    port.post({ kind: 'written', file, position, bytes: copy }, [copy.buffer])
  },
  close() {},
})
