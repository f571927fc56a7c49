import { createHash } from 'node:crypto'
import type { FlowJob, JobsOptions } from 'bullmq'

/** What every job of a merge says: a part, and what finishes it. Paths are those of whoever submitted it. */
export interface MergeJobData {
  readonly merge: string
  readonly plan: string
  readonly out: string
  readonly parts: number
  readonly overwrite: boolean
  /** Whether NaN and infinite values are errors. */
  readonly strict: boolean
}

/** What a job has given when it is done. */
export interface JobResult {
  readonly worker: string
  /** Of what finishes a merge: what a person should know of the output. */
  readonly warnings?: readonly string[]
}

/** A part, counted from 1, and how much is read and written for it. */
export interface PartJobData extends MergeJobData {
  readonly part: number
  readonly totalBytes: number
}

/** What a worker tells of a job now and then. */
export interface JobProgress {
  readonly worker: string
  readonly doneBytes: number
  readonly totalBytes: number
}

/** How often, and how fast, what failed is tried again. */
export interface RetryPolicy {
  /** Of a part, or of the end, in all. */
  readonly attempts: number
  /** Before the second; each further wait is twice as long. */
  readonly backoffMs: number
}

/** Jobs are kept so long after their end, for `status`. */
const keptSeconds = 30 * 24 * 3600

export const finishName = 'finish'
export const partName = 'part'

/** Names a merge by its plan and its output: submitted twice, it is the same. */
export function mergeId(planId: string, out: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([planId, out]))
    .digest('hex')
  return `merge-${hash.slice(0, 12)}`
}

/** Names the job of a part. */
export const partJobId = (merge: string, part: number): string => `${merge}-${part}`

/** Plans the jobs of a merge: what finishes it waits for all parts, and fails with any of them. */
export function planJobs(
  queueName: string,
  data: MergeJobData,
  { partBytes, retry }: { readonly partBytes: readonly number[]; readonly retry: RetryPolicy },
): FlowJob {
  const opts = {
    attempts: retry.attempts,
    backoff: { type: 'exponential', delay: retry.backoffMs },
    removeOnComplete: { age: keptSeconds },
    removeOnFail: { age: keptSeconds },
  } satisfies JobsOptions
  const partJob = (totalBytes: number, index: number) => ({
    name: partName,
    queueName,
    data: { ...data, part: index + 1, totalBytes } satisfies PartJobData,
    opts: { ...opts, jobId: partJobId(data.merge, index + 1), failParentOnFailure: true },
  })
  return { name: finishName, queueName, data, opts: { ...opts, jobId: data.merge }, children: partBytes.map(partJob) }
}
