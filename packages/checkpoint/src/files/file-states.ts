import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ifPresent } from '@mk/errors'
import { readingIfPresent } from './read-file.ts'

/** State of each file by its path: size, times and number. Two that are equal are of the same bytes, as far as a system tells. */
export type FileStates = ReadonlyMap<string, string>

/** Tells the state of a file; undefined where there is none. @throws what the operating system says */
export async function fileState(file: string): Promise<string | undefined> {
  const found = await ifPresent(stat(file, { bigint: true }))
  return found && [found.size, found.mtimeNs, found.ctimeNs, found.ino].join()
}

/**
 * Tells the states of all that lies in a folder, or beside a file; to be called before any of it is read.
 * @throws CheckpointError `unreadable-model`
 */
export async function readFileStates(path: string, isFolder: boolean): Promise<FileStates> {
  const folder = isFolder ? path : dirname(path)
  const names = (await readingIfPresent(folder, () => readdir(folder))) ?? []
  const files = names.map((name) => join(folder, name))
  const states = await Promise.all(
    files.map(async (file) => [file, await readingIfPresent(file, () => fileState(file))] as const),
  )
  return new Map(states.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
