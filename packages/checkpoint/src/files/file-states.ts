import { ifPresent } from '@mk/errors'
import { type FileStore, folderOfPath, joinPath } from '@mk/source'
import { readingIfPresent } from './read-file.ts'

/** State of each file by its path: size, times and number. Two that are equal are of the same bytes, as far as a system tells. */
export type FileStates = ReadonlyMap<string, string>

/** Tells the state of a file; undefined where there is none. @throws what the operating system says */
export const stateOfFile = async (store: FileStore, file: string): Promise<string | undefined> =>
  (await ifPresent(store.stat(file)))?.state

/**
 * Tells the states of all that lies in a folder, or beside a file; to be called before any of it is read.
 * @throws CheckpointError `unreadable-model`
 */
export async function readFileStates(store: FileStore, path: string, isFolder: boolean): Promise<FileStates> {
  const folder = isFolder ? path : folderOfPath(path)
  const names = (await readingIfPresent(folder, () => store.list(folder))) ?? []
  const files = names.map((name) => joinPath(folder, name))
  const states = await Promise.all(
    files.map(async (file) => [file, await readingIfPresent(file, () => stateOfFile(store, file))] as const),
  )
  return new Map(states.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
