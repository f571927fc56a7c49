import { MergeError } from '../errors.ts'
import { unpackError } from '@mk/errors'
import { unpackResult } from './pack-results.ts'
import type { MatrixTask, PassTask, TaskExecutor, TaskResult, TensorPass } from './task.ts'
import type { ByteDifference, WorkerAnswer, WorkerPort, WorkerRequest, WorkerStart } from './worker-port.ts'

/** Workers that share tasks, or one thread that carries them out itself. */
export interface WorkerPool {
  readonly size: number
  /** Queues a task, for the worker that has its chunks where there is one; an idle worker takes it all the same. */
  run(task: PassTask | MatrixTask, preferred: number | undefined): Promise<TaskResult & { readonly worker: number }>
  forget(tensor: number): void
  /** Ends the workers, also in the middle of a task. */
  close(): Promise<void>
}

/** Takes what a worker wrote that can't write itself; a task counts as done when that is. */
export type TakeWritten = (file: string, position: number, bytes: Uint8Array) => Promise<void>

/** How many workers a pool has, and what starts them. */
export interface PoolOptions {
  readonly threads: number
  /** `cacheBytes` are those of all workers together. */
  readonly start: WorkerStart
  readonly startWorker: () => WorkerPort
  /** Needed where workers hand over what they write. */
  readonly onWritten?: TakeWritten
  /** Told what workers that compare have found. */
  readonly onDifference?: (difference: ByteDifference) => void
}

/** Tasks a worker has at hand beside the one it runs, so that it does not wait for a message. */
const waitingPerWorker = 1

interface Queued {
  readonly task: PassTask | MatrixTask
  readonly preferred: number | undefined
  readonly resolve: (result: TaskResult & { worker: number }) => void
  readonly reject: (error: unknown) => void
}

/** Starts workers, which get ranges and know no method (docs/decisions/one-coordinator.md). */
export const createWorkerPool = (options: PoolOptions): WorkerPool => new Workers(options)

/** Makes a pool that runs everything in the calling thread. */
export function createInlinePool(executor: TaskExecutor): WorkerPool {
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

const tensorOf = ({ task }: Queued): number => ('job' in task ? task.tensor : task.pass.tensor)

class Workers implements WorkerPool {
  readonly size: number
  private readonly workers: WorkerPort[]
  private readonly onWritten: TakeWritten | undefined
  private readonly onDifference: PoolOptions['onDifference']
  private readonly running: Map<number, Queued>[]
  private queue: Queued[] = []
  private readonly sent: { readonly tensors: Set<number>; readonly passes: Map<TensorPass, number> }[]
  /** By worker, what goes with its next task. */
  private readonly unsent: WorkerRequest[][]
  /** By worker, what it has handed over and is not written yet. */
  private readonly writing: (Promise<void> | undefined)[]
  private nextId = 0
  private failure: Error | undefined
  private closing = false

  constructor({ threads, start, startWorker, onWritten, onDifference }: PoolOptions) {
    this.size = threads
    this.onWritten = onWritten
    this.onDifference = onDifference
    this.running = Array.from({ length: threads }, () => new Map<number, Queued>())
    this.sent = this.running.map(() => ({ tensors: new Set(), passes: new Map() }))
    this.unsent = this.running.map(() => [])
    this.writing = this.running.map(() => undefined)
    const cacheBytes = Math.floor(start.cacheBytes / threads)
    this.workers = this.running.map((_, index) => {
      const worker = startWorker()
      worker.listen({
        onAnswer: (answer) => this.receive(index, answer),
        onEnd: (reason, cause) => {
          if (!this.closing) this.fail(new MergeError({ code: 'worker-failed', reason }, { cause }))
        },
      })
      worker.post({ kind: 'start', start: { ...start, cacheBytes } })
      return worker
    })
  }

  run(task: PassTask | MatrixTask, preferred: number | undefined): Promise<TaskResult & { worker: number }> {
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
    await Promise.all(this.workers.map((worker) => worker.end()))
  }

  private dispatch(): void {
    this.queue.sort((a, b) => tensorOf(a) - tensorOf(b))
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
    if ('job' in queued.task) return this.startMatrix(index, queued, queued.task)
    const { pass, ranges, groups, gathered } = queued.task
    const { sources, merged, ...shared } = pass
    const { tensors, passes } = this.sent[index]!
    if (!tensors.has(pass.tensor)) {
      tensors.add(pass.tensor)
      this.post(index, { kind: 'tensor', tensor: pass.tensor, sources, ...(merged && { merged }) })
    }
    let passId = passes.get(pass)
    if (passId === undefined) {
      passes.set(pass, (passId = this.nextId++))
      this.post(index, { kind: 'pass', id: passId, pass: shared })
    }
    const id = this.nextId++
    this.running[index]!.set(id, queued)
    this.post(index, { kind: 'run', id, pass: passId, ranges, groups, ...(gathered && { gathered }) })
  }

  private startMatrix(index: number, queued: Queued, task: MatrixTask): void {
    const id = this.nextId++
    this.running[index]!.set(id, queued)
    this.post(index, { kind: 'matrix', id, task })
  }

  /** Posts what there is to do, and with it what has to be known or can be forgotten before. */
  private post(index: number, request: WorkerRequest): void {
    const requests = this.unsent[index]!
    requests.push(request)
    if (request.kind !== 'run' && request.kind !== 'matrix') return
    this.unsent[index] = []
    this.workers[index]!.post(requests.length === 1 ? request : { kind: 'several', requests })
  }

  private receive(index: number, answer: WorkerAnswer): void {
    switch (answer.kind) {
      case 'failed':
        return this.fail(unpackError(answer.error))
      case 'written':
        return this.write(index, answer)
      case 'differs':
        return this.onDifference?.(answer)
      case 'done': {
        const written = this.writing[index]
        if (written === undefined) return this.finish(index, answer)
        return void written.then(() => this.finish(index, answer))
      }
      default:
        answer satisfies never
    }
  }

  private finish(index: number, { id, result }: Extract<WorkerAnswer, { kind: 'done' }>): void {
    const queued = this.running[index]!.get(id)
    this.running[index]!.delete(id)
    this.dispatch()
    queued?.resolve({ ...unpackResult(result), worker: index })
  }

  private write(index: number, { file, position, bytes }: Extract<WorkerAnswer, { kind: 'written' }>): void {
    const writing = Promise.all([this.writing[index], this.onWritten!(file, position, bytes)]).then(
      () => {
        if (this.writing[index] === writing) this.writing[index] = undefined
      },
      (error: Error) => this.fail(error),
    )
    this.writing[index] = writing
  }

  private fail(error: Error): void {
    this.failure ??= error
    const waiting = [...this.queue, ...this.running.flatMap((tasks) => [...tasks.values()])]
    this.queue = []
    for (const tasks of this.running) tasks.clear()
    for (const { reject } of waiting) reject(this.failure)
  }
}
