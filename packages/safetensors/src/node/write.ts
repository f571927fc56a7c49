import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SafetensorsError } from '../errors.ts'
import { layoutFile, type TensorType } from '../layout.ts'

/** A file that is being written. */
export interface SafetensorsWriter {
  readonly fileBytes: number
  /**
   * Writes a part of a tensor at `offset` bytes from its start. Parts come in any order, of any tensor, several at a time.
   * The caller keeps `bytes` unchanged until the promise settles.
   * @throws SafetensorsError `unknown-tensor`, `write-out-of-range`.
   */
  write(name: string, offset: number, bytes: Uint8Array): Promise<void>
  /**
   * Syncs the file and gives it its name.
   * @throws SafetensorsError `incomplete` where fewer bytes of a tensor were written than it has; the file is then discarded.
   */
  finish(): Promise<void>
  /** Discards the file unless it is finished. */
  close(): Promise<void>
}

/**
 * Creates a file of the given tensors, replacing an existing one only when `finish` has seen every byte written: until then
 * the data is in `<path>.partial`. Parts of a tensor must not overlap.
 */
export async function createSafetensorsWriter(
  path: string,
  tensors: readonly TensorType[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<SafetensorsWriter> {
  const layout = layoutFile(tensors, metadata)
  const places = new Map(layout.tensors.map((entry) => [entry.name, { ...entry, written: 0 }]))
  const partial = `${path}.partial`
  const handle = await open(partial, 'w')
  let isOpen = true

  const close = async () => {
    if (!isOpen) return
    isOpen = false
    await handle.close()
    await rm(partial, { force: true })
  }
  const writeAt = async (bytes: Uint8Array, position: number) => {
    for (let done = 0; done < bytes.length;) {
      done += (await handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten
    }
  }

  try {
    await writeAt(layout.header, 0)
    await handle.truncate(layout.fileBytes)
  } catch (error) {
    await close()
    throw error
  }
  return {
    fileBytes: layout.fileBytes,
    close,
    async write(name, offset, bytes) {
      const place = places.get(name)
      if (place === undefined) throw new SafetensorsError({ code: 'unknown-tensor', tensor: name }, path)
      const tensorBytes = place.byteEnd - place.byteStart
      if (!Number.isInteger(offset) || offset < 0 || offset + bytes.length > tensorBytes) {
        throw new SafetensorsError(
          { code: 'write-out-of-range', tensor: name, offset, bytes: bytes.length, tensorBytes },
          path,
        )
      }
      await writeAt(bytes, place.byteStart + offset)
      place.written += bytes.length
    },
    async finish() {
      try {
        for (const { name, byteStart, byteEnd, written } of places.values()) {
          if (written < byteEnd - byteStart) {
            throw new SafetensorsError(
              { code: 'incomplete', tensor: name, bytes: written, tensorBytes: byteEnd - byteStart },
              path,
            )
          }
        }
        await handle.sync()
      } catch (error) {
        await close()
        throw error
      }
      isOpen = false
      await handle.close()
      await rename(partial, path)
      await syncFolder(dirname(path))
    },
  }
}

/** Makes a rename last; not every system lets a folder be opened or synced, and then there is nothing to do. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    await handle.sync().finally(() => handle.close())
  } catch {}
}
