import { quoted } from '@mk/errors'
import { CheckpointError } from '../errors.ts'

/** A file of a repository. `hash` is its sha256, or for small files that of git (sha1 over a header and the bytes). */
export interface HubFile {
  readonly name: string
  readonly byteCount: number
  readonly hash: string
}

/**
 * Parses an entry of the hub's list of files.
 * @param id of the model, for the error
 * @param folder that was asked for, with all that is in it; absent: the top level
 * @returns undefined for what is no file of that place, or has a name that no cache can hold
 * @throws CheckpointError `hub-answer`
 */
export function parseListedFile(entry: unknown, id: string, folder?: string): HubFile | undefined {
  const fail = (problem: string): never => {
    throw new CheckpointError({ code: 'hub-answer', id, problem })
  }
  if (typeof entry !== 'object' || entry === null) return fail(`its list of files has the entry ${quoted(entry)}`)
  const { type, path, size, oid, lfs } = entry as Readonly<Record<string, unknown>>
  if (type !== 'file') return undefined
  if (typeof path !== 'string') return fail(`a file in its list has the path ${quoted(path)}`)
  const names = namesIn(path, folder)
  if (names === undefined || !names.every(isPlainName)) return undefined
  const hash = typeof lfs === 'object' && lfs !== null && 'oid' in lfs ? lfs.oid : oid
  if (typeof hash !== 'string' || !isHash(hash) || !Number.isSafeInteger(size) || (size as number) < 0)
    return fail(`${quoted(path)} has no usable size or hash`)
  return { name: path, byteCount: size as number, hash }
}

/** Parses an entry of the list that is a folder of the top level. @returns its name; undefined for anything else */
export function parseListedFolder(entry: unknown): string | undefined {
  const { type, path } = (typeof entry === 'object' && entry !== null ? entry : {}) as Readonly<Record<string, unknown>>
  return type === 'directory' && typeof path === 'string' && isPlainName(path) ? path : undefined
}

/** The way from a folder to a file; undefined where it is not inside. */
function namesIn(path: string, folder: string | undefined): readonly string[] | undefined {
  if (folder === undefined) return [path]
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/') : undefined
}

/** Of git (sha1) or of large files (sha256). */
export const isHash = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)

/** In bytes; file systems take no longer ones. */
const longestName = 255

/** Names become paths of the cache. */
const isPlainName = (name: string): boolean =>
  /^[^/\\:\0\p{Cs}]+$/u.test(name) &&
  name !== '.' &&
  name !== '..' &&
  new TextEncoder().encode(name).length <= longestName
