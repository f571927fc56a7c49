import { MergeError } from '../errors.ts'
import { unpackError } from '@mk/errors'
import { rangeElements } from '@mk/tensor/runtime'
import { unpackResult } from './pack-results.ts'
import { type KeyedProgram, packPart, packPass } from './pack-tasks.ts'
import type { PassTask, Task, TaskExecutor, TaskResult, TensorPass } from './task.ts'
import type { ByteDifference, TaskDone, WorkerAnswer, WorkerPort, WorkerRequest, WorkerStart } from './worker-port.ts'

/** Workers that share tasks, or one thread that carries them out itself. */
export interface WorkerPool {
  readonly size: number
  /** Tasks are carried out in the calling thread, so that a message costs nothing, and only between two tasks can they be ended. */
  readonly isInline?: true
  /** Queues a task, for the worker that has its chunks where there is one; an idle worker takes it all the same. */
  run(task: Task, preferred: number | undefined): Promise<TaskResult & { readonly worker: number }>
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
  /** An idle worker leaves tasks to the one that has their chunks, as it takes longer to read them again. */
  readonly leavesToOwners?: boolean
  /** Needed where workers hand over what they write. */
  readonly onWritten?: TakeWritten
  /** Told what workers that compare have found. */
  readonly onDifference?: (difference: ByteDifference) => void
}

/** Tasks a worker has at hand beside the one it runs, so that it does not wait for a message. */
const waitingPerWorker = 1

/** How long a worker that holds a device may take to give it back, before it is ended all the same. */
const patienceMs = 2000

/** How many tasks, and of how many elements, are one message at most; a worker has as many at hand beside those that it runs. */
export const together = { tasks: 32, elements: 2 ** 16 }

interface Queued {
  readonly task: Task
  readonly elements: number
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
    isInline: true,
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

/** Infinite where a task is worth a message of its own, whatever its elements. */
const elementsOf = (task: Task): number => ('pass' in task ? rangeElements(task.ranges) : Infinity)

const tensorOf = ({ task }: Queued): number => ('pass' in task ? task.pass.tensor : task.tensor)

/** What a worker was told, or is about to be. */
interface Sent {
  readonly programs: Set<number>
  readonly tensors: Set<number>
  readonly passes: Map<TensorPass, number>
}

interface Unsent {
  requests: WorkerRequest[]
  tasks: number
  elements: number
}

class Workers implements WorkerPool {
  readonly size: number
  private readonly workers: WorkerPort[]
  private readonly leavesToOwners: boolean
  private readonly onWritten: TakeWritten | undefined
  private readonly onDifference: PoolOptions['onDifference']
  private readonly running: Map<number, Queued>[]
  private queue: Queued[] = []
  private readonly sent: Sent[]
  /** The number of each program, by its key. */
  private readonly programs = new Map<string, number>()
  /** By worker, what goes with its next message. */
  private readonly unsent: Unsent[]
  private flushing: ReturnType<typeof setTimeout> | undefined
  /** By worker, what it has handed over and is not written yet. */
  private readonly writing: (Promise<void> | undefined)[]
  /** By worker, what is called when it has closed what it had open, or has ended. */
  private readonly onClosed: ((() => void) | undefined)[]
  private readonly ended = new Set<number>()
  private readonly holdsDevices: boolean
  private nextId = 0
  private failure: Error | undefined
  private closing = false

  constructor({ threads, start, startWorker, leavesToOwners = false, onWritten, onDifference }: PoolOptions) {
    this.size = threads
    this.leavesToOwners = leavesToOwners
    this.onWritten = onWritten
    this.onDifference = onDifference
    this.running = Array.from({ length: threads }, () => new Map<number, Queued>())
    this.sent = this.running.map(() => ({ programs: new Set(), tensors: new Set(), passes: new Map() }))
    this.unsent = this.running.map(() => ({ requests: [], tasks: 0, elements: 0 }))
    this.writing = this.running.map(() => undefined)
    this.onClosed = this.running.map(() => undefined)
    this.holdsDevices = start.runtime.module !== undefined
    const cacheBytes = Math.floor(start.cacheBytes / threads)
    this.workers = this.running.map((_, index) => {
      const worker = startWorker()
      worker.listen({
        onAnswer: (answer) => this.receive(index, answer),
        onEnd: (reason, cause) => {
          this.ended.add(index)
          this.onClosed[index]?.()
          if (!this.closing) this.fail(new MergeError({ code: 'worker-failed', reason }, { cause }))
        },
      })
      worker.post({ kind: 'start', start: { ...start, cacheBytes } })
      return worker
    })
  }

  run(task: Task, preferred: number | undefined): Promise<TaskResult & { worker: number }> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      this.queue.push({ task, elements: elementsOf(task), preferred, resolve, reject })
      this.dispatch()
    })
  }

  forget(tensor: number): void {
    this.sent.forEach(({ tensors, passes }, index) => {
      if (!tensors.delete(tensor)) return
      for (const pass of passes.keys()) if (pass.tensor === tensor) passes.delete(pass)
      this.unsent[index]!.requests.push({ kind: 'forget', tensor })
    })
  }

  async close(): Promise<void> {
    this.closing = true
    clearTimeout(this.flushing)
    this.fail(poolClosed())
    if (this.holdsDevices) await Promise.all(this.workers.map((_, index) => this.letClose(index)))
    await Promise.all(this.workers.map((worker) => worker.end()))
  }

  /** A driver may take down the process where a thread that uses it is ended from outside. */
  private letClose(index: number): Promise<void> {
    if (this.ended.has(index)) return Promise.resolve()
    return new Promise((resolve) => {
      const patience = setTimeout(resolve, patienceMs)
      this.onClosed[index] = () => {
        clearTimeout(patience)
        resolve()
      }
      this.workers[index]!.post({ kind: 'close' })
    })
  }

  private dispatch(): void {
    if (this.queue.length === 0) return
    if (this.queue.length > 1) this.queue.sort((a, b) => tensorOf(a) - tensorOf(b))
    for (let depth = 0; depth <= waitingPerWorker; depth++) {
      for (let index = 0; index < this.size; index++) {
        if (this.running[index]!.size > depth) continue
        const next = this.take(index, depth === 0)
        if (next !== undefined) this.start(index, next)
      }
    }
    // Of small tasks a worker has more at hand.
    for (let index = 0; index < this.size; index++) {
      while (this.hasRoom(index)) {
        const next = this.take(index, false)
        if (next === undefined) break
        this.start(index, next)
      }
    }
  }

  private hasRoom(index: number): boolean {
    const running = this.running[index]!
    if (this.queue.length === 0 || running.size >= 2 * together.tasks) return false
    let elements = this.queue[0]!.elements
    for (const queued of running.values()) elements += queued.elements
    return elements <= together.elements
  }

  /** The earliest tensor's task first; one whose chunks lie with another worker only when that spares an idle moment. */
  private take(index: number, idle: boolean): Queued | undefined {
    let position = this.queue.findIndex(({ preferred }) => preferred === undefined || preferred === index)
    if (position < 0 && idle && !this.leavesToOwners && this.queue.length > 0) position = this.queue.length - 1
    return position < 0 ? undefined : this.queue.splice(position, 1)[0]
  }

  private start(index: number, queued: Queued): void {
    const { task, elements } = queued
    const id = this.nextId++
    const isIdle = this.running[index]!.size === 0
    this.running[index]!.set(id, queued)
    const unsent = this.unsent[index]!
    unsent.requests.push(this.request(index, id, task))
    unsent.tasks++
    unsent.elements += elements
    if (isIdle || unsent.tasks >= together.tasks || unsent.elements >= together.elements) this.flush(index)
    else this.flushing ??= setTimeout(() => this.flushAll())
  }

  /** The request to run a task, after those that tell what the worker has to know for it. */
  private request(index: number, id: number, task: Task): WorkerRequest {
    if ('job' in task) return { kind: 'matrix', id, task }
    if ('whole' in task) return { kind: 'whole', id, task }
    const numberOf = (program: KeyedProgram) => this.numberOf(index, program)
    return 'pass' in task
      ? this.requestPass(index, id, task, numberOf)
      : { kind: 'batch', id, tensor: task.tensor, parts: task.parts.map((part) => packPass(part, numberOf)) }
  }

  private requestPass(
    index: number,
    id: number,
    { isOnly, pass, ...task }: PassTask,
    numberOf: (program: KeyedProgram) => number,
  ): WorkerRequest {
    const { sources, merged, ...shared } = pass
    const { tensors, passes } = this.sent[index]!
    const { requests } = this.unsent[index]!
    const part = packPart(task)
    if (isOnly) return { kind: 'once', id, pass: packPass(pass, numberOf), part }
    if (!tensors.has(pass.tensor)) {
      tensors.add(pass.tensor)
      requests.push({ kind: 'tensor', tensor: pass.tensor, sources, ...(merged && { merged }) })
    }
    let passId = passes.get(pass)
    if (passId === undefined) {
      passes.set(pass, (passId = this.nextId++))
      requests.push({ kind: 'pass', id: passId, pass: packPass(shared, numberOf) })
    }
    return { kind: 'run', id, pass: passId, part }
  }

  /** Gives the number of a program, of which the worker is told where it doesn't know it. */
  private numberOf(index: number, program: KeyedProgram): number {
    const { programs } = this.sent[index]!
    let number = this.programs.get(program.programKey)
    if (number === undefined) this.programs.set(program.programKey, (number = this.programs.size))
    if (programs.has(number)) return number
    programs.add(number)
    this.unsent[index]!.requests.push({ kind: 'program', number, ...program })
    return number
  }

  private flushAll(): void {
    this.flushing = undefined
    for (let index = 0; index < this.size; index++) if (this.unsent[index]!.tasks > 0) this.flush(index)
  }

  /** Posts what there is to do, and with it what has to be known or can be forgotten before. */
  private flush(index: number): void {
    const { requests } = this.unsent[index]!
    this.unsent[index] = { requests: [], tasks: 0, elements: 0 }
    this.workers[index]!.post(requests.length === 1 ? requests[0]! : { kind: 'several', requests })
  }

  private receive(index: number, answer: WorkerAnswer): void {
    switch (answer.kind) {
      case 'failed':
        return this.fail(unpackError(answer.error))
      case 'written':
        return this.write(index, answer)
      case 'differs':
        return this.onDifference?.(answer)
      case 'closed':
        return this.onClosed[index]?.()
      case 'done':
      case 'several-done': {
        const finish = () => {
          for (const each of answer.kind === 'done' ? [answer] : answer.done) this.finish(index, each)
        }
        const written = this.writing[index]
        return written === undefined ? finish() : void written.then(finish)
      }
      default:
        answer satisfies never
    }
  }

  private finish(index: number, { id, result }: TaskDone): void {
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
