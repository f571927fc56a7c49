import type { OutputWriter } from '../run/output-writer.ts'
import type { PoolPort } from '../run/worker-port.ts'
import { createPostingWriter } from './posting-writer.ts'
import { sharedMode, type WebAccess, type WebFile } from './web-folder.ts'
import { writeFailed } from './write-failed.ts'

/** Files of an output that workers write to by themselves, by name. */
export type OutputHandles = ReadonlyMap<string, WebFile>

/** Files that stay open; more are opened again. */
const mostOpen = 16

/**
 * Writes to files that this worker opens itself, the first of them before it writes, which spares copies and messages. What is written to
 * a file while it is not open yet, and to all others, is handed over.
 */
export async function createHandleWriter(handles: OutputHandles, port: Pick<PoolPort, 'post'>): Promise<OutputWriter> {
  const posting = createPostingWriter(port)
  const open = new Map<string, WebAccess | 'opening' | 'refused'>()

  async function openFile(name: string, handle: WebFile): Promise<void> {
    open.set(name, 'opening')
    try {
      const access = await handle.createSyncAccessHandle!({ mode: sharedMode })
      open.set(name, access)
    } catch {
      open.set(name, 'refused')
    }
  }

  const makeRoom = () => {
    const accesses = [...open].filter(([, access]) => typeof access === 'object')
    for (const [name, access] of accesses.slice(0, Math.max(0, accesses.length - mostOpen + 1))) {
      ;(access as WebAccess).close()
      open.delete(name)
    }
  }

  await Promise.all([...handles].slice(0, mostOpen).map(([name, handle]) => openFile(name, handle)))

  return {
    takesSeveral: true,
    write(file, position, bytes) {
      const access = open.get(file)
      if (typeof access === 'object') return writeFully(file, access, position, bytes)
      const handle = handles.get(file)
      if (access === undefined && handle !== undefined) {
        makeRoom()
        void openFile(file, handle)
      }
      posting.write(file, position, bytes)
    },
    close() {
      for (const access of open.values()) if (typeof access === 'object') access.close()
      open.clear()
    },
  }
}

function writeFully(file: string, access: WebAccess, position: number, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += access.write(bytes.subarray(done), { at: position + done })
  } catch (cause) {
    throw writeFailed(file, cause)
  }
}
