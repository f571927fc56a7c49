import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import type { MergePlan } from '../plan/merge-plan.ts'
import { usefulThreads } from '../run/run-tensors.ts'
import { defaultCacheBytes, type RuntimeSpecifier, wasmRuntime } from '../run/task.ts'
import type { ByteDifference } from '../run/worker-port.ts'
import { createInlinePool, createWorkerPool, type WorkerPool } from '../run/worker-pool.ts'
import { startThread, threadPort } from './thread-port.ts'

/** What computes, and in how many threads. */
export interface PoolSettings {
  /** What computes; the default is WebAssembly. */
  readonly runtime?: RuntimeSpecifier
  /** Worker threads, by default as many as there are cores; 0 runs everything in the calling thread. */
  readonly threads?: number
  /**
   * Starts a worker thread where this package's own file can't be: in a bundle, whose part the entry `@mk/merge/worker` has to
   * be: `() => new Worker(new URL('./merge-worker.js', import.meta.url))`.
   */
  readonly createWorker?: () => Worker
  /** For chunks that stay with the workers between the passes over a tensor, of all workers together. */
  readonly cacheBytes?: number
}

/** The same where a plan tells how much there is to do. */
export interface PlanPoolSettings extends PoolSettings {
  /** Fewer threads start where there is less than that for each to do; by default 2^22, which takes about as long as a start. */
  readonly elementsPerThread?: number
}

/** Starts what computes for a plan: as many threads as have enough to do. */
export const openPoolFor = (
  plan: Pick<MergePlan, 'tensors'>,
  { threads = availableParallelism(), elementsPerThread, ...settings }: PlanPoolSettings,
): Promise<WorkerPool> => openPool({ ...settings, threads: usefulThreads(plan, threads, elementsPerThread) })

/** Starts the workers of a merge, or opens what does their work in this thread. */
export const openPool = (settings: PoolSettings): Promise<WorkerPool> => open(settings, undefined)

/** Starts workers that compute what a plan says, compare it with what is there, and write nothing. */
export const openComparingPool = (
  plan: Pick<MergePlan, 'tensors'>,
  { threads = availableParallelism(), ...settings }: PoolSettings,
  onDifference: (difference: ByteDifference) => void,
): Promise<WorkerPool> => open({ ...settings, threads: usefulThreads(plan, threads) }, onDifference)

async function open(
  {
    runtime = wasmRuntime,
    threads = availableParallelism(),
    cacheBytes = defaultCacheBytes,
    createWorker = startThread,
  }: PoolSettings,
  onDifference: ((difference: ByteDifference) => void) | undefined,
): Promise<WorkerPool> {
  const start = { runtime, cacheBytes, ...(onDifference && { compares: true as const }) }
  if (threads > 0)
    return createWorkerPool({
      threads,
      start,
      startWorker: () => threadPort(createWorker()),
      ...(onDifference && { onDifference }),
    })
  // Most merges have threads, and the main one is spared loading what computes.
  const { openExecutor } = await import('./open-executor.ts')
  return createInlinePool(await openExecutor(start, (difference) => onDifference?.(difference)))
}
