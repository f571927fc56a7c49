import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { Worker } from 'bullmq'
import type { QueuePlace } from '../jobs/connection.ts'
import { openQueue } from '../jobs/open-queue.ts'
import type { PartWork } from './part-work.ts'
import { type MergeJob, processJob } from './process-job.ts'

/** What has become of a job at this worker. */
export type WorkerEvent =
  | { readonly kind: 'started' | 'done'; readonly merge: string; readonly part?: number }
  | {
      readonly kind: 'failed'
      readonly merge: string
      readonly part?: number
      readonly message: string
      readonly isFinal: boolean
    }
  /** A worker that held the job was not heard of for too long; it goes to whoever is free. */
  | { readonly kind: 'stalled'; readonly job: string }
  | { readonly kind: 'trouble'; readonly message: string }

/** What a worker is started with. */
export interface WorkerSettings extends QueuePlace {
  readonly work: PartWork
  /** How it is called in `status`. @default host, process and a random word */
  readonly name?: string
  /** After so long without a word of a worker, others take its job over. @default 30 s */
  readonly stalledMs?: number
  /** How often a job may be taken over before it counts as one that ends its workers. @default 10 */
  readonly takeovers?: number
  readonly onEvent?: (event: WorkerEvent) => void
}

/** A worker that takes jobs, one at a time. */
export interface MergeWorker {
  readonly name: string
  /** Counts the jobs that are not at their end, here or elsewhere. */
  countOpen(): Promise<number>
  /** Gives the job that it has back to the queue, and ends. */
  close(): Promise<void>
}

const usualWorker = { stalledMs: 30_000, takeovers: 10 } as const

/**
 * Starts a worker. It waits for a Redis that is restarted, and goes on with its job meanwhile.
 * @throws QueueError 'queue-address', 'queue-unreachable', 'queue-refused'
 */
export async function startWorker(settings: WorkerSettings): Promise<MergeWorker> {
  const { work, onEvent = () => {}, stalledMs = usualWorker.stalledMs, takeovers = usualWorker.takeovers } = settings
  const name = settings.name ?? `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`
  const queue = await openQueue(settings, true)
  const leaving = new AbortController()
  const processing = { worker: name, stops: queue.stops, work, leaving: leaving.signal }
  // BullMQ hands a signal to functions of three parameters only.
  const take = (job: MergeJob, token: string | undefined, lost: AbortSignal | undefined) => {
    onEvent({ kind: 'started', ...placeOf(job) })
    return processJob(job, { token: token!, lost: lost! }, processing)
  }
  const worker = new Worker(queue.name, take, {
    connection: queue.redis,
    name,
    lockDuration: stalledMs,
    stalledInterval: stalledMs,
    maxStalledCount: takeovers,
    drainDelay: 1,
  })
  worker.on('completed', (job) => onEvent({ kind: 'done', ...placeOf(job) }))
  worker.on('failed', (job, { message }) => {
    if (job === undefined) return
    const isFinal = job.finishedOn !== undefined
    onEvent({ kind: 'failed', ...placeOf(job), message, isFinal })
  })
  worker.on('stalled', (job) => onEvent({ kind: 'stalled', job }))
  worker.on('lockRenewalFailed', (jobs) => jobs.forEach((job) => worker.cancelJob(job, 'another worker has it')))
  worker.on('error', ({ message }) => onEvent({ kind: 'trouble', message }))
  return {
    name,
    async countOpen() {
      const counts = await queue.jobs.getJobCounts('waiting', 'active', 'delayed', 'waiting-children')
      return Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    async close() {
      leaving.abort(new Error('the worker ends'))
      await worker.close()
      await queue.close()
    },
  }
}

const placeOf = ({ data }: MergeJob) => ({ merge: data.merge, ...('part' in data && { part: data.part }) })
