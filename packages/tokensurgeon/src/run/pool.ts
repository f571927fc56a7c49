import { Worker } from 'node:worker_threads'
import { unpackError } from '@mk/errors'
import { withProcessFlags } from '@mk/errors/threads'
import type { RuntimeSpecifier } from '@mk/merge/run'
import { SurgeonError } from '../errors.ts'
import { createSurgeon } from './create-surgeon.ts'
import type { Surgeon, SurgeonTask } from './task.ts'
import type { WorkerAnswer, WorkerStart } from './surgeon-worker.ts'

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

function startThread(start: WorkerStart): Surgeon {
  const worker = withProcessFlags(
    (flags) => new Worker(new URL('./surgeon-worker.js', import.meta.url), { ...flags, workerData: start }),
  )
  let settle: ((answer: WorkerAnswer | Error) => void) | undefined
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    settle?.(ended)
  }
  worker.on('message', (answer: WorkerAnswer) => settle?.(answer))
  worker.on('error', (cause) => end(new SurgeonError({ code: 'surgeon-worker', reason: cause.message }, { cause })))
  worker.on('exit', (status) =>
    end(new SurgeonError({ code: 'surgeon-worker', reason: `it had the status ${status}` })),
  )
  return {
    run: (task: SurgeonTask): Promise<never> =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        settle = (answer) => {
          settle = undefined
          if (answer instanceof Error) reject(answer)
          else if ('error' in answer) reject(unpackError(answer.error))
          else resolve(answer.result as never)
        }
        worker.postMessage(task)
      }),
    close: async () => void (await worker.terminate()),
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
