import { Worker } from 'node:worker_threads'
import { type PackedError, unpackError } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { createExecutor } from './executor.ts'
import type { PassTask, RuntimeSpecifier, TaskExecutor, TaskResult, TensorPass } from './task.ts'

/** Messages to a worker. What several tasks share crosses once: a tensor's sources, and each pass. */
export type WorkerRequest =
  | { readonly kind: 'tensor'; readonly tensor: number; readonly sources: TensorPass['sources'] }
  | { readonly kind: 'pass'; readonly id: number; readonly pass: Omit<TensorPass, 'sources'> }
  | {
      readonly kind: 'run'
      readonly id: number
      readonly pass: number
      readonly ranges: PassTask['ranges']
      readonly groups: PassTask['groups']
    }
  | { readonly kind: 'forget'; readonly tensor: number }

export type WorkerAnswer =
  | { readonly kind: 'done'; readonly id: number; readonly result: TaskResult }
  | { readonly kind: 'failed'; readonly error: PackedError }

export interface WorkerPool {
  readonly size: number
  /** Queues a task, for the worker that has its chunks where there is one; an idle worker takes it all the same. */
  run(task: PassTask, preferred: number | undefined): Promise<TaskResult & { readonly worker: number }>
  forget(tensor: number): void
  /** Ends the workers, also in the middle of a task. */
  close(): Promise<void>
}

export interface PoolOptions {
  readonly runtime: RuntimeSpecifier
  /** 0 runs everything in the calling thread. */
  readonly threads: number
  /** For chunks kept between passes, of all workers together. */
  readonly cacheBytes: number
}

/** Tasks a worker has at hand beside the one it runs, so that it does not wait for a message. */
const waitingPerWorker = 1

interface Queued {
  readonly task: PassTask
  readonly preferred: number | undefined
  readonly resolve: (result: TaskResult & { worker: number }) => void
  readonly reject: (error: unknown) => void
}

/** Starts the workers, which get ranges and know no method (docs/decisions/one-coordinator.md). */
export async function createWorkerPool({ runtime, threads, cacheBytes }: PoolOptions): Promise<WorkerPool> {
  if (threads === 0) return inlinePool(await createExecutor(runtime, { cacheBytes }))
  return new ThreadPool(runtime, threads, Math.floor(cacheBytes / threads))
}

function inlinePool(executor: TaskExecutor): WorkerPool {
  let previous: Promise<unknown> = Promise.resolve()
  let isClosed = false
  return {
    size: 1,
    run(task) {
      const result = previous.then(async () => {
        if (isClosed) throw poolClosed()
        return { ...(await executor.run(task)), worker: 0 }
      })
      previous = result.catch(() => {})
      return result
    },
    forget: (tensor) => executor.forget(tensor),
    async close() {
      isClosed = true
      await previous
      await executor.close()
    },
  }
}

const poolClosed = () => new MergeError({ code: 'worker-failed', reason: 'the pool was closed' })

class ThreadPool implements WorkerPool {
  readonly size: number
  private readonly workers: Worker[]
  private readonly running: Map<number, Queued>[]
  private queue: Queued[] = []
  private readonly sent: { readonly tensors: Set<number>; readonly passes: Map<TensorPass, number> }[]
  private nextId = 0
  private failure: Error | undefined
  private closing = false

  constructor(runtime: RuntimeSpecifier, threads: number, cacheBytes: number) {
    this.size = threads
    this.running = Array.from({ length: threads }, () => new Map<number, Queued>())
    this.sent = this.running.map(() => ({ tensors: new Set(), passes: new Map() }))
    this.workers = this.running.map((_, index) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), {
        workerData: { runtime, cacheBytes },
        // Flags such as --input-type are for the main script only.
        execArgv: process.execArgv.filter((flag) => !flag.startsWith('--input-type')),
        resourceLimits: { maxYoungGenerationSizeMb: 2 },
      })
      worker.on('message', (answer: WorkerAnswer) => this.receive(index, answer))
      worker.on('error', (cause) =>
        this.fail(new MergeError({ code: 'worker-failed', reason: cause.message }, { cause })),
      )
      worker.on('exit', (status) => {
        if (!this.closing)
          this.fail(new MergeError({ code: 'worker-failed', reason: `it ended with status ${status}` }))
      })
      return worker
    })
  }

  run(task: PassTask, preferred: number | undefined): Promise<TaskResult & { worker: number }> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      this.queue.push({ task, preferred, resolve, reject })
      this.dispatch()
    })
  }

  forget(tensor: number): void {
    this.sent.forEach(({ tensors, passes }, index) => {
      if (!tensors.delete(tensor)) return
      for (const pass of passes.keys()) if (pass.tensor === tensor) passes.delete(pass)
      this.post(index, { kind: 'forget', tensor })
    })
  }

  async close(): Promise<void> {
    this.closing = true
    this.fail(poolClosed())
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }

  private dispatch(): void {
    this.queue.sort((a, b) => a.task.pass.tensor - b.task.pass.tensor)
    for (let depth = 0; depth <= waitingPerWorker; depth++) {
      for (let index = 0; index < this.size; index++) {
        if (this.running[index]!.size > depth) continue
        const next = this.take(index, depth === 0)
        if (next !== undefined) this.start(index, next)
      }
    }
  }

  /** The earliest tensor's task first; one whose chunks lie with another worker only when that spares an idle moment. */
  private take(index: number, idle: boolean): Queued | undefined {
    let position = this.queue.findIndex(({ preferred }) => preferred === undefined || preferred === index)
    if (position < 0 && idle && this.queue.length > 0) position = this.queue.length - 1
    return position < 0 ? undefined : this.queue.splice(position, 1)[0]
  }

  private start(index: number, queued: Queued): void {
    const { pass, ranges, groups } = queued.task
    const { sources, ...shared } = pass
    const { tensors, passes } = this.sent[index]!
    if (!tensors.has(pass.tensor)) {
      tensors.add(pass.tensor)
      this.post(index, { kind: 'tensor', tensor: pass.tensor, sources })
    }
    let passId = passes.get(pass)
    if (passId === undefined) {
      passes.set(pass, (passId = this.nextId++))
      this.post(index, { kind: 'pass', id: passId, pass: shared })
    }
    const id = this.nextId++
    this.running[index]!.set(id, queued)
    this.post(index, { kind: 'run', id, pass: passId, ranges, groups })
  }

  private post(index: number, request: WorkerRequest): void {
    this.workers[index]!.postMessage(request)
  }

  private receive(index: number, answer: WorkerAnswer): void {
    if (answer.kind === 'failed') return this.fail(unpackError(answer.error))
    const queued = this.running[index]!.get(answer.id)
    this.running[index]!.delete(answer.id)
    this.dispatch()
    queued?.resolve({ ...answer.result, worker: index })
  }

  private fail(error: Error): void {
    this.failure ??= error
    const waiting = [...this.queue, ...this.running.flatMap((tasks) => [...tasks.values()])]
    this.queue = []
    for (const tasks of this.running) tasks.clear()
    for (const { reject } of waiting) reject(this.failure)
  }
}
