import { constants, type FileHandle, chmod, copyFile, open, rm } from 'node:fs/promises'
import { ifPresent } from '@mk/errors'
import type { DataFile } from '../plan/file-pieces.ts'

/** Gives a data file its full size, and what of it is known before any arithmetic: header and constants. */
export async function layOut(handle: FileHandle, { fileBytes, pieces }: DataFile): Promise<void> {
  for (const { byteStart, bytes } of pieces()) {
    for (let written = 0; written < bytes.length;)
      written += (await handle.write(bytes, written, bytes.length - written, byteStart + written)).bytesWritten
  }
  await handle.truncate(fileBytes)
}

/** A file that is to have the content of another one. */
interface SharedFile {
  readonly from: string
  readonly to: string
  /** Permissions of the new one, as `stat` tells them. */
  readonly mode: number
}

/**
 * Makes a data file that shares its blocks with another one, where that has the size and all that is known of the data file, and the file system
 * can do so (btrfs, XFS, bcachefs, APFS, ReFS): nothing is written, and neither changes with the other.
 * @returns whether it did; if not, no file is there
 */
export async function shareFile({ from, to, mode }: SharedFile, file: DataFile): Promise<boolean> {
  try {
    if (!(await isLaidOut(from, file))) return false
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    await chmod(to, mode)
    return true
  } catch {
    await rm(to, { force: true })
    return false
  }
}

/** Tells whether a data file is there, of its full size and with what is known of it before any arithmetic. @throws what the operating system says */
export async function isLaidOut(file: string, { fileBytes, pieces }: DataFile): Promise<boolean> {
  const handle = await ifPresent(open(file, 'r'))
  if (handle === undefined) return false
  try {
    for (const { byteStart, bytes } of pieces())
      if (Buffer.compare(await readAt(handle, byteStart, bytes.length), bytes) !== 0) return false
    return (await handle.stat()).size === fileBytes
  } finally {
    await handle.close()
  }
}

/** Bytes past the end of the file are zero. */
async function readAt(handle: FileHandle, byteStart: number, byteCount: number): Promise<Uint8Array> {
  const found = new Uint8Array(byteCount)
  for (let read = 0; read < byteCount;) {
    const { bytesRead } = await handle.read(found, read, byteCount - read, byteStart + read)
    if (bytesRead === 0) break
    read += bytesRead
  }
  return found
}
