import type { PackedError } from '@mk/errors'
import type { PackedResult } from './pack-results.ts'
import type { KeyedProgram, PackedPart, PackedPass } from './pack-tasks.ts'
import type { BatchPart, MatrixTask, RuntimeSpecifier, TensorPass, WholeTask } from './task.ts'

/** What a worker needs to know before its first task. */
export interface WorkerStart {
  readonly runtime: RuntimeSpecifier
  /** For chunks kept between passes. */
  readonly cacheBytes: number
  /** Where files are, as whoever wrote the worker's entry has it; Node's workers need nothing. */
  readonly files?: unknown
  /** Compare with what is there, and write nothing. */
  readonly compares?: true
}

/** Where a file has other bytes than those that were computed: the first of them in what was computed at once. */
export interface ByteDifference {
  readonly file: string
  readonly position: number
}

/** Messages to a worker. What several tasks share crosses once: a program, a tensor's sources, and each pass. */
export type WorkerRequest =
  | { readonly kind: 'start'; readonly start: WorkerStart }
  | ({ readonly kind: 'tensor'; readonly tensor: number } & Pick<TensorPass, 'sources' | 'merged'>)
  | ({ readonly kind: 'program'; readonly number: number } & KeyedProgram)
  | { readonly kind: 'pass'; readonly id: number; readonly pass: PackedPass<Omit<TensorPass, 'sources' | 'merged'>> }
  | { readonly kind: 'run'; readonly id: number; readonly pass: number; readonly part: PackedPart }
  /** The same of a tensor that has no other task: nothing of it is kept, and there is nothing to forget. */
  | { readonly kind: 'once'; readonly id: number; readonly pass: PackedPass; readonly part: PackedPart }
  | {
      readonly kind: 'batch'
      readonly id: number
      readonly tensor: number
      readonly parts: readonly PackedPass<BatchPart>[]
    }
  | { readonly kind: 'matrix'; readonly id: number; readonly task: MatrixTask }
  | { readonly kind: 'whole'; readonly id: number; readonly task: WholeTask }
  | { readonly kind: 'forget'; readonly tensor: number }
  /** Close what is open, and answer 'closed': nothing comes after it. */
  | { readonly kind: 'close' }
  /** Those above, one after the other: a message costs more than what it says. */
  | { readonly kind: 'several'; readonly requests: readonly WorkerRequest[] }

/** What came of a task. */
export interface TaskDone {
  readonly kind: 'done'
  readonly id: number
  readonly result: PackedResult
}

/** Messages of a worker to its pool. */
export type WorkerAnswer =
  | TaskDone
  /** Of small tasks that came together. */
  | { readonly kind: 'several-done'; readonly done: readonly TaskDone[] }
  | { readonly kind: 'failed'; readonly error: PackedError }
  | { readonly kind: 'closed' }
  /** Of a worker that can't write itself; comes before its task is done. */
  | { readonly kind: 'written'; readonly file: string; readonly position: number; readonly bytes: Uint8Array }
  /** Of a worker that compares; comes before its task is done. */
  | ({ readonly kind: 'differs' } & ByteDifference)

/** A worker as its pool sees it: a thread of Node's, a web worker, or anything else that takes messages. */
export interface WorkerPort {
  post(request: WorkerRequest): void
  /** To be called once, before anything is posted. */
  listen(listeners: {
    onAnswer(answer: WorkerAnswer): void
    /** It has ended, or what it runs could not be loaded. */
    onEnd(reason: string, cause?: unknown): void
  }): void
  /** Ends it, also in the middle of a task. */
  end(): Promise<void>
}

/** The other end: a pool as its worker sees it. */
export interface PoolPort {
  /** @param transfer buffers that go over without a copy */
  post(answer: WorkerAnswer, transfer?: ArrayBuffer[]): void
  listen(onRequest: (request: WorkerRequest) => void): void
}
