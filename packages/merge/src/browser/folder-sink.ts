import { MergeError } from '../errors.ts'
import type { MergeSink, SinkFile } from './merge-sink.ts'
import { sharedMode, type WebFile, type WebFolder } from './web-folder.ts'

/** How files of a folder in a browser are written. */
export interface FolderSinkOptions {
  /** Write at once, which is faster: for a folder of the page's own (OPFS), in a worker. */
  readonly direct?: boolean
  /** Delete what is there of that name, as soon as the sink is made. */
  readonly overwrite?: boolean
}

/**
 * Writes an output into a new folder that lies in another.
 * @param name of the folder of the output
 * @throws MergeError 'output-exists' where there are files under that name already
 */
export async function createFolderSink(
  parent: WebFolder,
  name: string,
  { direct = false, overwrite = false }: FolderSinkOptions = {},
): Promise<MergeSink> {
  const entryCount = overwrite ? 0 : await countEntries(parent, name)
  if (entryCount > 0) throw new MergeError({ code: 'output-exists', folder: name, entryCount })
  await removeEntry(parent, name).catch(() => {})
  const folder = await parent.getDirectoryHandle(name, { create: true })
  const open = new Set<SinkFile & { abort(): Promise<void> }>()
  return {
    async open(path, byteCount) {
      const parts = path.split('/')
      let inside = folder
      for (const part of parts.slice(0, -1)) inside = await inside.getDirectoryHandle(part, { create: true })
      const handle = await inside.getFileHandle(parts.at(-1)!, { create: true })
      const file = direct ? await openAccess(handle) : await openWritable(handle)
      open.add(file)
      await file.resize(byteCount)
      return {
        ...(file.shared && { shared: file.shared }),
        write: (position, bytes) => file.write(position, bytes),
        async close() {
          await file.close()
          open.delete(file)
        },
      }
    },
    complete: async () => {},
    async discard() {
      for (const file of open) await file.abort().catch(() => {})
      await removeEntry(parent, name)
    },
  }
}

async function countEntries(parent: WebFolder, name: string): Promise<number> {
  const existing = await parent.getDirectoryHandle(name, { create: false }).catch((error: Error) => {
    if (error.name === 'NotFoundError') return undefined
    // There is a file of that name.
    if (error.name === 'TypeMismatchError') return { keys: () => [name] }
    throw error
  })
  let count = 0
  for await (const _ of existing?.keys() ?? []) count++
  return count
}

interface OpenSinkFile extends SinkFile {
  resize(byteCount: number): Promise<void>
  abort(): Promise<void>
}

async function openWritable(handle: WebFile): Promise<OpenSinkFile> {
  const stream = await handle.createWritable()
  return {
    resize: (byteCount) => stream.truncate(byteCount),
    write: (position, data) => stream.write({ type: 'write', position, data }),
    close: () => stream.close(),
    abort: () => stream.abort(),
  }
}

async function openAccess(handle: WebFile): Promise<OpenSinkFile> {
  const access = await handle.createSyncAccessHandle!({ mode: sharedMode })
  return {
    ...(access.mode === sharedMode && { shared: handle }),
    resize: async (byteCount) => access.truncate(byteCount),
    async write(position, bytes) {
      for (let done = 0; done < bytes.length;) done += access.write(bytes.subarray(done), { at: position + done })
    },
    // The system writes to the disk when it likes, as it does for the command.
    close: async () => access.close(),
    abort: async () => access.close(),
  }
}

const removalAttempts = 10

/** A worker that was ended in the middle of a task keeps its files locked for a moment. */
async function removeEntry(parent: WebFolder, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await parent.removeEntry(name, { recursive: true })
    } catch (error) {
      if ((error as Error).name !== 'NoModificationAllowedError' || attempt === removalAttempts) throw error
      await new Promise((resolve) => setTimeout(resolve, 2 ** attempt))
    }
  }
}
