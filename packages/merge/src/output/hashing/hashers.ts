import { availableParallelism } from 'node:os'
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { withProcessFlags } from '@mk/errors/threads'
import { createFileHasher, type FileHasher } from './file-hasher.ts'
import type { HashAnswer, HashRequest } from './hash-thread.ts'

/** Hashes files, each in the thread that has begun with it. */
export interface Hashers {
  /** How many files can be gone on with at once. */
  readonly lanes: number
  /** What is worth a call. */
  readonly stepBytes: number
  /** As those of `FileHasher`; a file's calls come one after the other. */
  advance(file: string, end: number): Promise<void>
  digest(file: string): Promise<string>
  close(): Promise<void>
}

/** In the calling thread: a millisecond of the thread that hands out the work. */
const INLINE_BYTES = 2 ** 20
/** In another one: fifty of them. */
const THREAD_BYTES = 2 ** 26

/** Hashes in the calling thread, which gets a turn after each step. */
export function createInlineHashers(): Hashers {
  const hasher = createFileHasher(INLINE_BYTES)
  return {
    lanes: 1,
    stepBytes: INLINE_BYTES,
    async advance(file, end) {
      hasher.advance(file, end)
      await turn()
    },
    digest: async (file) => hasher.digest(file),
    close: async () => hasher.close(),
  }
}

/**
 * Hashes in threads, which start when there is something for them. Where none can start, as in a bundle that lacks its file, all is
 * done in the calling thread.
 * @param most threads, one or more
 */
export function createHashingThreads(most: number, startThread = startHashThread): Hashers {
  const threads: HashThread[] = []
  const threadOf = new Map<string, HashThread>()
  let inline: FileHasher | undefined
  let isClosed = false
  /** Goes through a file from its start, where its thread has ended. */
  const here = () => (inline ??= createFileHasher(INLINE_BYTES))

  function assign(file: string): HashThread {
    const known = threadOf.get(file)
    if (known !== undefined) return known
    let thread = threads.find(({ isIdle }) => isIdle())
    if (thread === undefined && threads.length < most) threads.push((thread = openThread(startThread)))
    thread ??= threads.reduce((least, other) => (other.fileCount() < least.fileCount() ? other : least))
    threadOf.set(file, thread)
    thread.add()
    return thread
  }

  return {
    lanes: most,
    stepBytes: THREAD_BYTES,
    async advance(file, end) {
      const answer = await assign(file).ask({ file, end })
      if (answer === undefined && !isClosed) here().advance(file, end)
    },
    async digest(file) {
      const answer = await assign(file).ask({ file, isWhole: true })
      return answer?.digest ?? here().digest(file)
    },
    async close() {
      isClosed = true
      inline?.close()
      await Promise.all(threads.map((thread) => thread.close()))
    },
  }
}

interface HashThread {
  /** Resolves to nothing where the thread has ended, or could not start. */
  ask(
    request: { readonly file: string } & ({ readonly end: number } | { readonly isWhole: true }),
  ): Promise<Extract<HashAnswer, { digest?: string }> | undefined>
  isIdle(): boolean
  add(): void
  fileCount(): number
  close(): Promise<void>
}

function openThread(startThread: () => Worker): HashThread {
  const waiting = new Map<number, (answer: HashAnswer | undefined) => void>()
  let [nextId, files, hasEnded] = [0, 0, false]
  const end = () => {
    hasEnded = true
    for (const settle of waiting.values()) settle(undefined)
    waiting.clear()
  }
  const worker = tryTo(startThread)
  worker?.on('message', (answer: HashAnswer) => {
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  })
  worker?.on('error', end).on('exit', end)
  return {
    async ask(request) {
      if (worker === undefined || hasEnded) return undefined
      const answer = await new Promise<HashAnswer | undefined>((resolve) => {
        const id = nextId++
        waiting.set(id, resolve)
        worker.postMessage({ ...request, id } satisfies HashRequest)
      })
      if (answer !== undefined && 'error' in answer) throw Object.assign(new Error(answer.error.message), answer.error)
      return answer
    },
    isIdle: () => waiting.size === 0,
    add: () => void files++,
    fileCount: () => files,
    close: async () => void (await worker?.terminate()),
  }
}

/** Undefined where the system has no thread to give, or takes none. */
function tryTo<T>(start: () => T): T | undefined {
  try {
    return start()
  } catch {
    return undefined
  }
}

const startHashThread = (): Worker =>
  withProcessFlags(
    (flags) =>
      new Worker(new URL('./hash-thread.js', import.meta.url), {
        ...flags,
        resourceLimits: { maxYoungGenerationSizeMb: 1 },
      }),
  )

/** So many bytes and more are hashed in threads: less takes about as long as to start one. */
const FEWEST_THREADED_BYTES = 2 ** 27
/** More files at once are more than disks like, and each thread takes some megabytes. */
const MOST_THREADS = 8

/** Opens what hashes so many bytes of files. @param threads at most; 0: all is done in the calling thread. As many as there are cores if absent */
export const openHashers = (totalBytes: number, threads: number = availableParallelism()): Hashers =>
  threads === 0 || totalBytes < FEWEST_THREADED_BYTES
    ? createInlineHashers()
    : createHashingThreads(Math.min(threads, MOST_THREADS))
