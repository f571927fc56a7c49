import { systemReason } from '@mk/errors'
import { MergeError } from '../errors.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { Hashers } from './hashing/hashers.ts'

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

/** Fewer bytes at once are left until there are more: many tensors may fit. */
const FEWEST_BYTES = 2 ** 20

/**
 * Begins to hash the files of a plan, from their start up to the first tensor that isn't finished
 * (docs/decisions/checksums-behind-the-writing.md).
 * @param files where they are, laid out to their full size
 * @param finished tensors whose elements are all written
 * @param open opens what hashes that many bytes
 */
export function startChecksums(
  plan: MergePlan,
  files: readonly string[],
  finished: ReadonlySet<number>,
  open: (totalBytes: number) => Hashers,
): RunningChecksums {
  const done = new Set(finished)
  const frontiers = createFrontiers(plan, done)
  const states = plan.files.map(({ fileBytes }, index): FileState => ({
    file: files[index]!,
    fileBytes,
    frontier: frontiers[index]!,
    position: 0,
    isBusy: false,
  }))
  const totalBytes = plan.files.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
  const hashers = open(totalBytes)
  /** All that go on with files at present: one while others write, as many as there can be when all is written. */
  const working = new Set<Promise<void>>()
  let [doneBytes, mostWorking, isClosed] = [0, 1, false]
  let watching: CompleteChecksums = {}

  /** Goes on with one file after the other, as far as there is something to hash. */
  async function work(): Promise<void> {
    for (let state = next(); state !== undefined; state = next()) {
      const byteCount = Math.min(hashers.stepBytes, state.frontier() - state.position)
      state.isBusy = true
      try {
        await hashers.advance(state.file, state.position + byteCount)
      } catch (cause) {
        throw new MergeError({ code: 'write-failed', file: state.file, reason: systemReason(cause) }, { cause })
      } finally {
        state.isBusy = false
      }
      if (isClosed) return
      state.position += byteCount
      doneBytes += byteCount
      watching.signal?.throwIfAborted()
      watching.onProgress?.({ doneBytes, totalBytes })
    }
  }

  function next(): FileState | undefined {
    if (isClosed) return undefined
    return states.find(({ isBusy, position, frontier, fileBytes }) => {
      if (isBusy || position === fileBytes) return false
      const end = frontier()
      return end - position >= FEWEST_BYTES || (end === fileBytes && end > position)
    })
  }

  function start(): void {
    while (working.size < mostWorking && next() !== undefined) {
      const running: Promise<void> = work().finally(() => void working.delete(running))
      // What fails here fails again when it is completed.
      running.catch(() => {})
      working.add(running)
    }
  }

  return {
    finished(tensor) {
      done.add(tensor)
      start()
    },
    async complete(options) {
      watching = options
      await Promise.allSettled(working)
      options.signal?.throwIfAborted()
      mostWorking = hashers.lanes
      start()
      await Promise.all(working)
      const digests = await Promise.all(states.map(({ file }) => hashers.digest(file)))
      return new Map(digests.map((digest, index) => [plan.files[index]!.name, digest]))
    },
    async close() {
      isClosed = true
      await hashers.close()
      await Promise.allSettled(working)
    },
  }
}

interface FileState {
  readonly file: string
  readonly fileBytes: number
  /** Up to where all is written. */
  readonly frontier: () => number
  position: number
  /** Being gone on with. */
  isBusy: boolean
}

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
