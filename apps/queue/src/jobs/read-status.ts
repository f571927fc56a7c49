import type { Job, JobState } from 'bullmq'
import { QueueError } from '../errors.ts'
import type { QueuePlace } from './connection.ts'
import {
  finishName,
  type JobProgress,
  type JobResult,
  type MergeJobData,
  partJobId,
  type PartJobData,
} from './merge-jobs.ts'
import { askQueue, type OpenQueue } from './open-queue.ts'
import type { Stop } from './stops.ts'

/** How a merge is: `failed` and `canceled` ones can be submitted again, which does what is missing. */
export type MergeState = 'waiting' | 'running' | 'finishing' | 'done' | 'failed' | 'canceled'

/** How a part is; `retrying` waits for its next attempt. */
export type PartState = 'waiting' | 'running' | 'retrying' | 'done' | 'failed'

/** A part of a merge, or its end. */
export interface PartStatus {
  /** Counted from 1; absent: what finishes the merge. */
  readonly part?: number
  readonly state: PartState
  /** Attempts that have ended without success. */
  readonly failures: number
  /** How often a worker that was not heard of lost it to another. */
  readonly takeovers: number
  /** Who has it, or did it. */
  readonly worker?: string
  readonly doneBytes: number
  readonly totalBytes: number
  /** What went wrong last. */
  readonly problem?: string
}

/** A merge with all its parts. */
export interface MergeStatus {
  readonly id: string
  readonly state: MergeState
  readonly plan: string
  readonly out: string
  readonly parts: readonly PartStatus[]
  readonly end: PartStatus
  readonly doneBytes: number
  readonly totalBytes: number
  /** Whether somebody has to mend something before it is submitted again. */
  readonly isRefused: boolean
  readonly problem?: string
  /** What a person should know of the output, once it is there. */
  readonly warnings: readonly string[]
  readonly submitted: string
}

/** All that a queue has. */
export interface QueueStatus {
  readonly queue: string
  readonly merges: readonly MergeStatus[]
  /** All that are connected, also those that have nothing to do. Empty where the Redis doesn't tell. */
  readonly workers: readonly string[]
}

/**
 * Reads how the merges of a queue are, the newest first.
 * @param id of the merge that is asked for; absent: all
 * @throws QueueError 'queue-unknown-merge', and those of the connection
 */
export const readStatus = (place: QueuePlace = {}, id?: string): Promise<QueueStatus> =>
  askQueue(place, (queue) => statusOf(queue, id))

/** As `readStatus`, of a queue that is open. */
export async function statusOf(queue: OpenQueue, id?: string): Promise<QueueStatus> {
  const { name, jobs } = queue
  const ends = id === undefined ? await listEnds(queue) : [await findEnd(queue, id)]
  const merges = await Promise.all(ends.map((end) => mergeStatus(queue, end)))
  const workers = (await jobs.getWorkers()).map(workerName).filter((worker) => worker !== undefined)
  return { queue: name, merges, workers: [...new Set(workers)].toSorted() }
}

/** Finds the job that finishes a merge. @throws QueueError 'queue-unknown-merge' */
export async function findEnd({ jobs, name }: OpenQueue, id: string): Promise<Job<MergeJobData>> {
  const job = (await jobs.getJob(id)) as Job<MergeJobData> | undefined
  if (job?.name !== finishName) throw new QueueError({ code: 'queue-unknown-merge', id, queue: name })
  return job
}

async function listEnds({ jobs }: OpenQueue): Promise<readonly Job<MergeJobData>[]> {
  const all = (await jobs.getJobs([
    'waiting-children',
    'waiting',
    'active',
    'delayed',
    'completed',
    'failed',
  ])) as Job<MergeJobData>[]
  const ends = new Map(all.filter((job) => job?.name === finishName).map((job) => [job.id!, job]))
  return [...ends.values()].toSorted((a, b) => b.timestamp - a.timestamp)
}

async function mergeStatus({ jobs, stops }: OpenQueue, end: Job<MergeJobData>): Promise<MergeStatus> {
  const { merge, plan, out, parts: count } = end.data
  const [stop, ending, ...parts] = await Promise.all([
    stops.read(merge),
    partStatus(end),
    ...Array.from({ length: count }, async (_, index) => {
      const job = (await jobs.getJob(partJobId(merge, index + 1))) as Job<PartJobData> | undefined
      return job === undefined ? undefined : partStatus(job)
    }),
  ])
  const known = parts.filter((part) => part !== undefined)
  const state = stateOf(ending, known, stop)
  const problem = problemOf(state, { end: ending, parts: known, stop })
  const sum = (of: (part: PartStatus) => number) => known.reduce((total, part) => total + of(part), 0)
  return {
    id: merge,
    state,
    plan,
    out,
    parts: known,
    end: ending,
    doneBytes: sum(({ doneBytes }) => doneBytes),
    totalBytes: sum(({ totalBytes }) => totalBytes),
    isRefused: stop?.kind === 'refused',
    ...(problem !== undefined && { problem }),
    warnings: (end.returnvalue as JobResult | null)?.warnings ?? [],
    submitted: new Date(end.timestamp).toISOString(),
  }
}

function stateOf(end: PartStatus, parts: readonly PartStatus[], stop: Stop | undefined): MergeState {
  if (end.state === 'done') return 'done'
  if (stop?.kind === 'canceled') return 'canceled'
  if (stop !== undefined || end.state === 'failed' || parts.some(({ state }) => state === 'failed')) return 'failed'
  if (parts.every(({ state }) => state === 'done')) return 'finishing'
  return parts.every(({ state }) => state === 'waiting') ? 'waiting' : 'running'
}

/** What the first of its parts says that has failed: the end only says that one did. */
function problemOf(
  state: MergeState,
  {
    end,
    parts,
    stop,
  }: { readonly end: PartStatus; readonly parts: readonly PartStatus[]; readonly stop: Stop | undefined },
): string | undefined {
  if (state !== 'failed') return undefined
  if (stop?.kind === 'refused') return stop.message
  const failed = parts.find((part) => part.state === 'failed')
  return failed === undefined ? end.problem : `part ${failed.part}: ${failed.problem}`
}

async function partStatus(job: Job<MergeJobData | PartJobData>): Promise<PartStatus> {
  const { data, failedReason, attemptsMade, stalledCounter, progress } = job
  const state = partStates[await job.getState()]
  const told = isProgress(progress) ? progress : undefined
  const totalBytes = 'totalBytes' in data ? data.totalBytes : 0
  return {
    ...('part' in data && { part: data.part }),
    state: state === 'waiting' && attemptsMade > 0 ? 'retrying' : state,
    failures: attemptsMade - (state === 'done' ? 1 : 0),
    takeovers: stalledCounter,
    ...(told !== undefined && state !== 'waiting' && { worker: told.worker }),
    doneBytes: state === 'done' ? totalBytes : Math.min(told?.doneBytes ?? 0, totalBytes),
    totalBytes,
    ...(failedReason && state !== 'done' && { problem: failedReason }),
  }
}

const partStates: Readonly<Record<JobState | 'unknown', PartState>> = {
  waiting: 'waiting',
  'waiting-children': 'waiting',
  prioritized: 'waiting',
  active: 'running',
  delayed: 'retrying',
  completed: 'done',
  failed: 'failed',
  unknown: 'waiting',
}

const isProgress = (value: unknown): value is JobProgress =>
  typeof value === 'object' && value !== null && 'worker' in value

/** BullMQ names the connection of a worker `bull:QUEUE:w:NAME`, the queue in base64. */
function workerName({ rawname = '' }: { readonly [key: string]: string }): string | undefined {
  return /:w:(.+)$/.exec(rawname)?.[1]
}
