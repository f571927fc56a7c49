import { Worker } from 'node:worker_threads'
import { abortable, startTaskThread } from '@mk/errors/threads'
import { LoraError } from '../errors.ts'
import { createDecomposer } from './decompose.ts'
import type { Decomposer, DecomposeTask, Factors } from './task.ts'

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

function startThread(cacheBytes: number): Decomposer {
  const { run, close } = startTaskThread<DecomposeTask, Factors>(
    (flags) =>
      new Worker(new URL('./decomposing-worker.js', import.meta.url), { ...flags, workerData: { cacheBytes } }),
    (reason, cause) => new LoraError({ code: 'extract-worker', reason }, { cause }),
  )
  return { decompose: run, close }
}
