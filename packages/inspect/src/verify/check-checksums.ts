import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parseChecksums } from '@mk/checkpoint'
import { ifPresent } from '@mk/errors'
import { type Hashers, openHashers } from '@mk/merge'
import { forEachAtOnce } from '../measure/for-each-at-once.ts'
import { type Fault, fault } from './fault.ts'
import { INDEX, type ReadOutput } from './read-output.ts'

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
  reading: Reading,
): Promise<Fault[]> {
  const faults: Fault[] = []
  const there = [...stated.keys()].filter((file) => files.includes(file) || file === INDEX)
  const hashed = await hashFiles(folder, there, reading)
  for (const [file, checksum] of stated) {
    const found = hashed.get(file)
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

interface Reading {
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onRead: (byteCount: number) => void
}

/** Gives the SHA-256 of files, by their names; of those that aren't there none. */
async function hashFiles(
  folder: string,
  names: readonly string[],
  reading: Reading,
): Promise<ReadonlyMap<string, string>> {
  const sizes = new Map<string, number>()
  for (const name of names) {
    const stats = await ifPresent(stat(join(folder, name)))
    if (stats !== undefined) sizes.set(name, stats.size)
  }
  const hashers = openHashers(
    [...sizes.values()].reduce((total, size) => total + size, 0),
    reading.threads,
  )
  const found = new Map<string, string>()
  try {
    await forEachAtOnce([...sizes], { atOnce: hashers.lanes, signal: reading.signal }, async ([name, size]) => {
      found.set(name, await hashFile(hashers, { path: join(folder, name), size }, reading))
    })
  } finally {
    await hashers.close()
  }
  return found
}

async function hashFile(
  hashers: Hashers,
  { path, size }: { readonly path: string; readonly size: number },
  { signal, onRead }: Reading,
): Promise<string> {
  for (let position = 0; position < size;) {
    signal?.throwIfAborted()
    const end = Math.min(size, position + hashers.stepBytes)
    await hashers.advance(path, end)
    onRead(end - position)
    position = end
  }
  return hashers.digest(path)
}
