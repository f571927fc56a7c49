import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { systemReason } from '@mk/errors'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'

/** How much of the data files has been hashed. */
export interface ChecksumProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What the rest of the checksums is computed with, when all is written. */
export interface CompleteChecksums {
  readonly onProgress?: (progress: ChecksumProgress) => void
  readonly signal?: AbortSignal | undefined
}

/** The SHA-256 of an output's data files, computed behind what is written, while it is still in memory. */
export interface RunningChecksums {
  /** To be called when all of a tensor's elements are written. */
  finished(tensor: number): void
  /**
   * Computes the rest, when all is written.
   * @returns by the names of the files, in their order, 64 hexadecimal digits
   * @throws MergeError 'write-failed' where a file can't be read; `signal`'s reason
   */
  complete(options: CompleteChecksums): Promise<ReadonlyMap<string, string>>
  close(): Promise<void>
}

/** What is hashed at once: a millisecond of the thread that hands out the work. */
const SLICE_BYTES = 2 ** 20

/**
 * Begins to hash the files of a plan, from their start up to the first tensor that isn't finished
 * (docs/decisions/checksums-behind-the-writing.md).
 * @param files where they are, laid out to their full size
 * @param finished tensors whose elements are all written
 */
export function startChecksums(
  plan: MergePlan,
  files: readonly string[],
  finished: ReadonlySet<number>,
): RunningChecksums {
  const done = new Set(finished)
  const frontiers = createFrontiers(plan, done)
  const states = plan.files.map(({ fileBytes }, index) => ({
    file: files[index]!,
    fileBytes,
    hash: createHash('sha256'),
    position: 0,
  }))
  const totalBytes = plan.files.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
  const buffers = [new Uint8Array(SLICE_BYTES), new Uint8Array(SLICE_BYTES)]
  const handles = new Map<string, FileHandle>()
  let [doneBytes, isClosed] = [0, false]
  /** The first file of which something is to be hashed. */
  let current = 0
  let working: Promise<void> | undefined
  let watching: CompleteChecksums = {}

  /** Hashes what there is; the next slice is read while one is hashed. */
  async function work(): Promise<void> {
    for (; current < states.length; current++) {
      const [state, frontier] = [states[current]!, frontiers[current]!]
      let reading = read(state, frontier(), 0)
      for (let slice = 1; ; slice++) {
        const bytes = await reading
        if (bytes === undefined || isClosed) break
        state.position += bytes.length
        reading = read(state, frontier(), slice % 2)
        state.hash.update(bytes)
        doneBytes += bytes.length
        watching.signal?.throwIfAborted()
        watching.onProgress?.({ doneBytes, totalBytes })
      }
      if (state.position < state.fileBytes) return
      await closeFile(state.file)
    }
  }

  function read(
    { file, fileBytes, position }: FileState,
    end: number,
    buffer: number,
  ): Promise<Uint8Array | undefined> {
    const byteCount = Math.min(SLICE_BYTES, end - position)
    // Many tensors may fit a slice.
    if (byteCount <= 0 || (byteCount < SLICE_BYTES && end < fileBytes) || isClosed) return none
    const reading = readSlice(handles, file, buffers[buffer]!.subarray(0, byteCount), position)
    // It may end while the slice before is hashed.
    reading.catch(() => {})
    return reading
  }

  async function closeFile(file: string): Promise<void> {
    const handle = handles.get(file)
    handles.delete(file)
    await handle?.close()
  }

  const start = () => (working ??= work().finally(() => (working = undefined)))

  return {
    finished(tensor) {
      done.add(tensor)
      // What fails here fails again when it is completed.
      if (!isClosed) start().catch(() => {})
    },
    async complete(options) {
      watching = options
      // What fails there fails again here.
      await working?.catch(() => {})
      options.signal?.throwIfAborted()
      await start()
      return new Map(states.map(({ hash }, index) => [plan.files[index]!.name, hash.digest('hex')]))
    },
    async close() {
      isClosed = true
      await working?.catch(() => {})
      for (const handle of handles.values()) await handle.close().catch(() => {})
      handles.clear()
    },
  }
}

interface FileState {
  readonly file: string
  readonly fileBytes: number
  readonly hash: Hash
  position: number
}

const none = Promise.resolve(undefined)

/** Tells of each file up to where all tensors are finished. */
function createFrontiers({ files, tensors }: MergePlan, done: ReadonlySet<number>): readonly (() => number)[] {
  const places = files.map((): { readonly byteStart: number; readonly tensor: number }[] => [])
  for (const [tensor, { file, byteStart, rows }] of tensors.entries())
    for (const place of rows?.runs ?? [{ byteStart }]) places[file]!.push({ byteStart: place.byteStart, tensor })
  return files.map(({ fileBytes }, index) => {
    const sorted = places[index]!.sort((a, b) => a.byteStart - b.byteStart)
    let next = 0
    return () => {
      while (next < sorted.length && done.has(sorted[next]!.tensor)) next++
      return sorted[next]?.byteStart ?? fileBytes
    }
  })
}

async function readSlice(
  handles: Map<string, FileHandle>,
  file: string,
  into: Uint8Array,
  position: number,
): Promise<Uint8Array> {
  try {
    let handle = handles.get(file)
    if (handle === undefined) handles.set(file, (handle = await open(file, 'r')))
    for (let read = 0; read < into.length;) {
      const { bytesRead } = await handle.read(into, read, into.length - read, position + read)
      if (bytesRead === 0) throw new Error(`it ends at ${position + read}`)
      read += bytesRead
    }
    return into
  } catch (cause) {
    throw new MergeError({ code: 'write-failed', file, reason: systemReason(cause) }, { cause })
  }
}
