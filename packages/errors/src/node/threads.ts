import type { MessagePort, Worker } from 'node:worker_threads'
import { type PackedError, packError, unpackError } from '../portable.ts'

/**
 * Starts a thread of Node with the flags of the process, but for those that no thread may be given, which would be an error.
 * @param start makes the thread: it is given what to add to the options of the thread, and called again with less where it throws
 */
export function withProcessFlags<T>(start: (flags: { readonly execArgv?: string[] }) => T): T {
  // Those of the process are a thread's, too, but for one of the main script.
  const forThreads = process.execArgv.filter((flag) => !flag.startsWith('--input-type'))
  if (forThreads.length === process.execArgv.length) return start({})
  try {
    return start({ execArgv: forThreads })
  } catch {
    // Flags of the engine are refused there, and hold for all threads anyway.
    return start({ execArgv: [] })
  }
}

/** A thread that does one task at a time. */
export interface TaskThread<Task, Result> {
  /** Has it do a task. @throws what the thread threw, or that it ended */
  run(task: Task): Promise<Result>
  close(): Promise<void>
}

type Answer<Result> = { readonly result: Result } | { readonly error: PackedError }

/**
 * Starts a thread for tasks, which it takes by `serveTasks`.
 * @param start as of `withProcessFlags`
 * @param ended makes the error of a thread that ended of itself, in the middle of a task or before it
 */
export function startTaskThread<Task, Result>(
  start: (flags: { readonly execArgv?: string[] }) => Worker,
  ended: (reason: string, cause?: unknown) => Error,
): TaskThread<Task, Result> {
  const worker = withProcessFlags(start)
  let settle: ((answer: Answer<Result> | Error) => void) | undefined
  let failure: Error | undefined
  const end = (error: Error): void => {
    failure ??= error
    settle?.(failure)
  }
  worker.on('message', (answer: Answer<Result>) => settle?.(answer))
  worker.on('error', (cause) => end(ended(cause.message, cause)))
  worker.on('exit', (status) => end(ended(`its exit status was ${status}`)))
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure)
        settle = (answer) => {
          settle = undefined
          if (answer instanceof Error) reject(answer)
          else if ('error' in answer) reject(unpackError(answer.error))
          else resolve(answer.result)
        }
        worker.postMessage(task)
      }),
    close: async () => void (await worker.terminate()),
  }
}

/** Does the tasks that come through a port, one at a time, as `startTaskThread` gives them. */
export function serveTasks<Task, Result>(port: MessagePort, run: (task: Task) => Promise<Result>): void {
  port.on('message', async (task: Task) => {
    let answer: Answer<Result>
    try {
      answer = { result: await run(task) }
    } catch (error) {
      answer = { error: packError(error) }
    }
    port.postMessage(answer)
  })
}

/** Waits for work, but no longer than until the signal fires. @throws its reason then */
export function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
