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
 * @returns undefined for what is no file of the top level, or has a name that no cache can hold
 * @throws CheckpointError `hub-answer`
 */
export function parseListedFile(entry: unknown, id: string): HubFile | undefined {
  const fail = (problem: string): never => {
    throw new CheckpointError({ code: 'hub-answer', id, problem })
  }
  if (typeof entry !== 'object' || entry === null) return fail(`its list of files has the entry ${quoted(entry)}`)
  const { type, path, size, oid, lfs } = entry as Readonly<Record<string, unknown>>
  if (type !== 'file') return undefined
  if (typeof path !== 'string') return fail(`a file in its list has the path ${quoted(path)}`)
  if (!isPlainName(path)) return undefined
  const hash = typeof lfs === 'object' && lfs !== null && 'oid' in lfs ? lfs.oid : oid
  if (typeof hash !== 'string' || !isHash(hash) || !Number.isSafeInteger(size) || (size as number) < 0)
    return fail(`${quoted(path)} has no usable size or hash`)
  return { name: path, byteCount: size as number, hash }
}

/** Of git (sha1) or of large files (sha256). */
export const isHash = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)

/** In bytes; file systems take no longer ones. */
const longestName = 255

/** Names become paths of the cache. */
const isPlainName = (name: string): boolean =>
  /^[^/\\:\0]+$/.test(name) && name !== '.' && name !== '..' && Buffer.byteLength(name) <= longestName
