import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseChecksums } from '@mk/checkpoint'
import { ifPresent } from '@mk/errors'
import { type Fault, fault } from './fault.ts'
import { INDEX, type ReadOutput } from './read-output.ts'

const SLICE_BYTES = 2 ** 20

/** Finds the checksums of an output, in the card beside it; undefined where there are none. */
export async function findChecksums({
  folder,
  isFolder,
  files,
}: ReadOutput): Promise<ReadonlyMap<string, string> | undefined> {
  const card = await ifPresent(readFile(join(folder, 'README.md'), 'utf8'))
  const stated = card === undefined || files.length === 0 ? undefined : parseChecksums(card)
  if (stated === undefined || isFolder) return stated
  const own = [...stated].filter(([name]) => files.includes(name))
  return own.length === 0 ? undefined : new Map(own)
}

/** Compares the files of an output with the checksums of its card. @returns what is wrong; the files that are as they were written */
export async function checkChecksums(
  { folder, files }: Pick<ReadOutput, 'folder' | 'files'>,
  stated: ReadonlyMap<string, string>,
  { signal, onRead }: { readonly signal?: AbortSignal | undefined; readonly onRead: (byteCount: number) => void },
): Promise<Fault[]> {
  const faults: Fault[] = []
  for (const [file, checksum] of stated) {
    if (!files.includes(file) && file !== INDEX) {
      faults.push(fault('file-missing', `${file} is not there, though README.md has its checksum`, { file }))
      continue
    }
    const found = await ifPresent(hashFile(join(folder, file), { signal, onRead }))
    if (found === undefined)
      faults.push(fault('file-missing', `${file} is not there, though README.md has its checksum`, { file }))
    else if (found !== checksum)
      faults.push(fault('checksum', `${file} has the SHA-256 ${found}, but README.md says ${checksum}`, { file }))
  }
  for (const file of files)
    if (!stated.has(file))
      faults.push(
        fault('extra-file', `${file} has no checksum in README.md, which has those of all files of weights`, { file }),
      )
  return faults
}

async function hashFile(
  path: string,
  { signal, onRead }: { readonly signal?: AbortSignal | undefined; readonly onRead: (byteCount: number) => void },
): Promise<string> {
  const handle = await open(path)
  try {
    const hash = createHash('sha256')
    const buffer = new Uint8Array(SLICE_BYTES)
    for (let position = 0; ;) {
      signal?.throwIfAborted()
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
      position += bytesRead
      onRead(bytesRead)
    }
  } finally {
    await handle.close()
  }
}
