import { randomUUID } from 'node:crypto'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type HubPlace, type HubRanges, tryLock } from '@mk/checkpoint'
import { checkSpace } from '../output/check-space.ts'
import { makeFolder } from '../output/make-folder.ts'
import { removePath } from '../output/remove-path.ts'
import { writing } from '../output/system-errors.ts'
import { inParallel } from './in-parallel.ts'
import type { Extent } from './source-extents.ts'

/** A request of the hub brings so much. */
const pieceBytes = 2 ** 24

/** Bytes of files of the hub that are here for a while, at their places in files that are empty elsewhere. */
export interface StreamedFiles {
  /** Gives the path of such a file; that of another stays. */
  locate(file: string): string
  /** Deletes them. */
  drop(): Promise<void>
}

/** What of which file is wanted. */
export interface StreamedFile {
  /** As the plan has it. */
  readonly path: string
  readonly place: HubPlace
  /** Absent: all of it. */
  readonly extents?: readonly Extent[]
}

const prefix = 'mk-stream-'

/**
 * Brings parts of files of the hub into a folder of this process, in that of the cache; what killed processes have left of theirs is
 * deleted.
 * @throws CheckpointError `hub-…`; MergeError 'disk-space', 'write-failed'; `signal`'s reason
 */
export async function streamFiles(
  ranges: HubRanges,
  files: readonly StreamedFile[],
  { signal, onBytes }: { readonly signal?: AbortSignal | undefined; readonly onBytes?: (bytes: number) => void } = {},
): Promise<StreamedFiles> {
  const folder = join(ranges.cacheFolder, `${prefix}${randomUUID().slice(0, 8)}`)
  const wanted = await inParallel(files, async ({ path, place, extents }) => ({
    path,
    place,
    extents: extents ?? [{ start: 0, end: await ranges.byteCount(place) }],
  }))
  const pieces = wanted.flatMap(({ place, extents }, file) =>
    extents.flatMap((extent) => cut(extent).map((piece) => ({ ...piece, file, place }))),
  )
  const bytes = pieces.reduce((sum, { start, end }) => sum + end - start, 0)
  await writing(folder, () => makeFolder(ranges.cacheFolder))
  await removeAbandoned(ranges.cacheFolder)
  await checkSpace([{ folder: ranges.cacheFolder, bytes }])
  const { lock } = await tryLock(`${folder}.lock`)
  const locals = new Map(wanted.map(({ path }, index) => [path, join(folder, String(index))]))
  const drop = async () => {
    await removePath(folder)
    await lock?.release()
  }
  try {
    await writing(folder, () => makeFolder(folder))
    const handles = await Promise.all([...locals.values()].map((local) => open(local, 'w')))
    try {
      await inParallel(pieces, async ({ file, place, start, end }) => {
        signal?.throwIfAborted()
        const found = await ranges.read(place, start, end)
        await writing(folder, async () => {
          for (let done = 0; done < found.length;)
            done += (await handles[file]!.write(found, done, found.length - done, start + done)).bytesWritten
        })
        onBytes?.(found.length)
      })
    } finally {
      for (const handle of handles) await handle.close()
    }
  } catch (error) {
    await drop().catch(() => {})
    throw error
  }
  return { locate: (file) => locals.get(file) ?? file, drop }
}

function cut({ start, end }: Extent): readonly Extent[] {
  const pieces: Extent[] = []
  for (let from = start; from < end; from += pieceBytes)
    pieces.push({ start: from, end: Math.min(from + pieceBytes, end) })
  return pieces
}

/** Of processes that were killed: nobody holds their lock. */
async function removeAbandoned(cacheFolder: string): Promise<void> {
  for (const name of await readdir(cacheFolder).catch(() => [])) {
    if (!name.startsWith(prefix) || name.endsWith('.lock')) continue
    const { lock } = await tryLock(join(cacheFolder, `${name}.lock`)).catch(() => ({ lock: undefined }))
    if (lock === undefined) continue
    await removePath(join(cacheFolder, name)).catch(() => {})
    await lock.release()
  }
}
