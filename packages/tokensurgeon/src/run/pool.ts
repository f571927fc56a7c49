import { Worker } from 'node:worker_threads'
import { abortable, startTaskThread } from '@mk/errors/threads'
import type { RuntimeSpecifier } from '@mk/merge/run'
import { SurgeonError } from '../errors.ts'
import { createSurgeon } from './create-surgeon.ts'
import type { Surgeon, SurgeonTask } from './task.ts'
import type { WorkerStart } from './surgeon-worker.ts'

/** Who does the tasks. */
export interface PoolOptions {
  /** 0 does them in the calling thread. */
  readonly threads: number
  readonly runtime: RuntimeSpecifier
  readonly signal?: AbortSignal | undefined
}

/** Threads that do tasks; which of them does which changes no byte. */
export interface SurgeonPool extends Surgeon {
  readonly size: number
}

/** Starts threads as tasks come, up to as many as there may be. */
export function createPool({ threads, runtime, signal }: PoolOptions): SurgeonPool {
  const idle: Surgeon[] = []
  const all: Surgeon[] = []
  const waiting: ((surgeon: Surgeon) => void)[] = []
  const size = Math.max(1, threads)
  const take = (): Surgeon | Promise<Surgeon> => {
    const free = idle.pop()
    if (free !== undefined) return free
    if (all.length === size) return new Promise((resolve) => waiting.push(resolve))
    const started = threads === 0 ? createSurgeon(runtime) : startThread({ runtime })
    all.push(started)
    return started
  }
  const give = (surgeon: Surgeon): void => {
    const next = waiting.shift()
    if (next === undefined) idle.push(surgeon)
    else next(surgeon)
  }
  return {
    size,
    async run(task) {
      const surgeon = await take()
      try {
        signal?.throwIfAborted()
        return await abortable(surgeon.run(task), signal)
      } finally {
        give(surgeon)
      }
    },
    async close() {
      await Promise.all(all.map((surgeon) => surgeon.close()))
    },
  }
}

function startThread(workerData: WorkerStart): Surgeon {
  const { run, close } = startTaskThread<SurgeonTask, never>(
    (flags) => new Worker(new URL('./surgeon-worker.js', import.meta.url), { ...flags, workerData }),
    (reason, cause) => new SurgeonError({ code: 'surgeon-worker', reason }, { cause }),
  )
  return { run, close }
}
