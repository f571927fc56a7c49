import { resolve } from 'node:path'
import { listParts, readPlanFile } from '@mk/merge/parts'
import { FlowProducer } from 'bullmq'
import { QueueError } from '../errors.ts'
import type { QueuePlace } from './connection.ts'
import { type MergeJobData, mergeId, planJobs, type RetryPolicy } from './merge-jobs.ts'
import { askQueue, type OpenQueue } from './open-queue.ts'

/** A merge to be done in parts. */
export interface MergeOrder {
  /** The file that `--plan-out` wrote. */
  readonly plan: string
  /** The folder that is to be written. */
  readonly out: string
  readonly parts: number
  /** Replaces an output that is there. @default false */
  readonly overwrite?: boolean
  /** Fails where a tensor, or one it is made of, has NaN or infinite values. @default false */
  readonly strict?: boolean
  readonly retry?: Partial<RetryPolicy>
}

/** A merge that is in the queue. */
export interface SubmittedMerge {
  readonly id: string
  /** Whether it was there before, and not at its end. */
  readonly isKnown: boolean
  readonly parts: number
  /** What a person should know of the Redis. */
  readonly notes: readonly string[]
}

/** The retry policy where none is said. */
export const usualRetry: RetryPolicy = { attempts: 4, backoffMs: 15_000 }

/**
 * Puts a merge into a queue: its parts, and what finishes it. The same plan and output again are the same merge: it is left alone as
 * long as it goes on, and begun anew where it has ended, which does only what is missing.
 * @throws QueueError; MergeError of the plan
 */
export async function submitMerge(order: MergeOrder, place: QueuePlace = {}): Promise<SubmittedMerge> {
  const { plan, parts, overwrite = false, strict = false } = order
  const out = resolve(order.out)
  const planFile = await readPlanFile(plan)
  const listed = await listParts(planFile, parts)
  const merge = mergeId(planFile.id, out)
  const data: MergeJobData = { merge, plan: resolve(plan), out, parts, overwrite, strict }
  const retry = { ...usualRetry, ...order.retry }
  return askQueue(place, async (queue) => {
    const notes = await notePersistence(queue)
    if (!(await makeRoom(queue, data))) return { id: merge, isKnown: true, parts, notes }
    await queue.stops.clear(merge)
    const producer = new FlowProducer({ connection: queue.redis })
    producer.on('error', () => {})
    try {
      const partBytes = listed.map(({ writtenBytes }) => Math.round(writtenBytes))
      await producer.add(planJobs(queue.name, data, { partBytes, retry }))
    } finally {
      await producer.close()
    }
    return { id: merge, isKnown: false, parts, notes }
  })
}

/** Removes what has ended of the same merge. @returns whether there is room: not where it still goes on */
async function makeRoom({ jobs, stops }: OpenQueue, { merge, parts }: MergeJobData): Promise<boolean> {
  const known = await jobs.getJob(merge)
  if (known === undefined) return true
  const [state, stop] = await Promise.all([known.getState(), stops.read(merge)])
  if (state !== 'completed' && state !== 'failed' && stop === undefined) {
    const { parts: submitted } = known.data as MergeJobData
    if (submitted !== parts) throw new QueueError({ code: 'queue-other-parts', id: merge, parts, submitted })
    return false
  }
  const running = (await jobs.getActive()).filter(({ data }) => (data as MergeJobData).merge === merge).length
  if (running > 0) throw new QueueError({ code: 'queue-busy', id: merge, running })
  await known.remove({ removeChildren: true })
  return true
}

/** What is in no file is gone when the Redis is restarted. Not every Redis tells. */
async function notePersistence({ redis }: OpenQueue): Promise<readonly string[]> {
  const setting = async (name: string) => {
    try {
      const [, value] = (await redis.config('GET', name)) as string[]
      return value
    } catch {
      return undefined
    }
  }
  const [appendonly, policy] = [await setting('appendonly'), await setting('maxmemory-policy')]
  return [
    ...(appendonly === 'no'
      ? ['this Redis has appendonly no: a restart may lose the merge, which can be submitted again then']
      : []),
    ...(policy !== undefined && policy !== 'noeviction'
      ? [`this Redis has maxmemory-policy ${policy}: expected noeviction, else it may drop jobs`]
      : []),
  ]
}
