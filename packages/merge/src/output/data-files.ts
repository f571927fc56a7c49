import { type FileHandle, open } from 'node:fs/promises'
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

/** Compares a data file with its plan, as far as that is known before any arithmetic; undefined where there is none. @throws what the operating system says */
export async function readFileHeader(
  file: string,
  { pieces }: DataFile,
): Promise<{ readonly fileBytes: number; readonly isAsPlanned: boolean } | undefined> {
  const handle = await ifPresent(open(file, 'r'))
  if (handle === undefined) return undefined
  try {
    let isAsPlanned = true
    for (const { byteStart, bytes } of pieces())
      isAsPlanned &&= Buffer.compare(await readAt(handle, byteStart, bytes.length), bytes) === 0
    return { fileBytes: (await handle.stat()).size, isAsPlanned }
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
