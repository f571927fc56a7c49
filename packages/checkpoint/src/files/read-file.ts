import { ifPresent, isSystemError, systemReason } from '@mk/errors'
import { parseIndex, readHeader, type TensorEntry } from '@mk/safetensors'
import { decodeText, type FileSource, type FileStore, readBytes } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import { limits } from '../limits.ts'
import { parsing } from './disguise.ts'

/** Headers by path, of files whose tensors are yet to be downloaded. */
export type KnownHeaders = ReadonlyMap<string, readonly TensorEntry[]>

/**
 * Runs what reads a file or folder, and names it where the operating system refuses to.
 * @param file a path, for the error
 * @throws CheckpointError `unreadable-model`; whatever `read` throws of its own
 */
export async function reading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!isSystemError(cause)) throw cause
    throw new CheckpointError({ code: 'unreadable-model', file, reason: systemReason(cause) }, { cause })
  }
}

/** Runs what reads a file; undefined where there is none. @throws as `reading` */
export function readingIfPresent<T>(file: string, read: () => Promise<T>): Promise<T | undefined> {
  return reading(file, () => ifPresent(read()))
}

/**
 * Runs what reads a file that may be missing from a folder; undefined where `listed`, which was read before, has none. One that
 * is gone since then was there when the merge began, and is no missing one.
 * @throws as `reading`
 */
export const readingIfListed = async <T>(
  file: string,
  listed: Pick<ReadonlySet<string>, 'has'>,
  read: () => Promise<T>,
): Promise<T | undefined> => (listed.has(file) ? reading(file, read) : undefined)

/**
 * Reads a text; undefined where there is no such file.
 * @param limit in bytes
 * @throws CheckpointError `unreadable-model`; SafetensorsError `not-a-file`, `file-too-long`
 */
export const readText = (
  store: FileStore,
  file: string,
  limit: number = limits.documentBytes,
): Promise<string | undefined> => readingIfPresent(file, async () => decodeText(await readBytes(store, file, limit)))

/**
 * Reads an index of shards: the name of its file by tensor.
 * @throws CheckpointError `unreadable-model`, `disguised-file`; SafetensorsError
 */
export async function readIndex(store: FileStore, file: string): Promise<ReadonlyMap<string, string>> {
  const text = await reading(file, async () => decodeText(await readBytes(store, file, limits.indexBytes)))
  return (await parsing(store, file, async () => parseIndex(text, file))).weightMap
}

/**
 * Reads where the tensors of a safetensors file are, in the order of its header; undefined where there is no such file.
 * @throws CheckpointError `unreadable-model`, `disguised-file`; SafetensorsError
 */
export async function readFileSources(
  store: FileStore,
  file: string,
  known: KnownHeaders = new Map(),
): Promise<ReadonlyMap<string, FileSource> | undefined> {
  const tensors =
    known.get(file) ??
    (await readingIfPresent(
      file,
      async () =>
        (await parsing(store, file, () => store.withFile(file, (opened) => readHeader(opened, file)))).tensors,
    ))
  if (tensors === undefined) return undefined
  const sources = new Map<string, FileSource>()
  for (const { name, dtype, shape, byteStart } of tensors)
    sources.set(name, { kind: 'file', dtype, shape, file, byteStart })
  return sources
}
