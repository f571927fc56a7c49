import { Worker } from 'node:worker_threads'
import { unpackError } from '@mk/errors'
import { withProcessFlags } from '@mk/errors/threads'
import { LoraError } from '../errors.ts'
import { createDecomposer } from './decompose.ts'
import type { DecomposeTask, Factors } from './task.ts'
import type { WorkerAnswer, WorkerRequest } from './decomposing-worker.ts'

export interface PoolOptions {
  /** 0 decomposes in the calling thread. */
  readonly threads: number
  /** For differences that are kept between passes, of all threads together. */
  readonly cacheBytes: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Decomposes modules in worker threads, each of them one at a time. Which thread has which changes no byte.
 * @param onDone is awaited before its thread gets another task
 */
export async function decomposeAll(
  tasks: readonly DecomposeTask[],
  { threads, cacheBytes, signal }: PoolOptions,
  onDone: (index: number, factors: Factors) => Promise<void>,
): Promise<void> {
  // The largest first, so that none is left for the end.
  const order = tasks.map((_, index) => index).sort((a, b) => sizeOf(tasks[b]!) - sizeOf(tasks[a]!) || a - b)
  const queue = order.values()
  const count = Math.min(threads, tasks.length)
  const decomposers = Array.from({ length: Math.max(1, count) }, () =>
    threads === 0 ? createDecomposer({ cacheBytes }) : startThread(Math.floor(cacheBytes / Math.max(1, count))),
  )
  try {
    await Promise.all(
      decomposers.map(async (decomposer) => {
        for (const index of queue) {
          signal?.throwIfAborted()
          await onDone(index, await abortable(decomposer.decompose(tasks[index]!), signal))
        }
      }),
    )
  } finally {
    await Promise.all(decomposers.map((decomposer) => decomposer.close()))
  }
}

const sizeOf = ({ fine }: DecomposeTask): number => fine.shape.reduce((product, size) => product * size, 1)

function startThread(cacheBytes: number) {
  const worker = withProcessFlags(
    (flags) =>
      new Worker(new URL('./decomposing-worker.js', import.meta.url), { ...flags, workerData: { cacheBytes } }),
  )
  let settle: ((answer: WorkerAnswer | Error) => void) | undefined
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    settle?.(ended)
  }
  worker.on('message', (answer: WorkerAnswer) => settle?.(answer))
  worker.on('error', (cause) => end(new LoraError({ code: 'extract-worker', reason: cause.message }, { cause })))
  worker.on('exit', (status) =>
    end(new LoraError({ code: 'extract-worker', reason: `it ended with status ${status}` })),
  )
  return {
    decompose: (task: DecomposeTask): Promise<Factors> =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        settle = (answer) => {
          settle = undefined
          if (answer instanceof Error) reject(answer)
          else if ('error' in answer) reject(unpackError(answer.error))
          else resolve(answer.factors)
        }
        worker.postMessage({ id: 0, task } satisfies WorkerRequest)
      }),
    close: async (): Promise<void> => void (await worker.terminate()),
  }
}

/** Rejects as soon as the signal fires. */
function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
