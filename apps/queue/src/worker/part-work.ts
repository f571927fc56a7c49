import type { MergeJobData, PartJobData } from '../jobs/merge-jobs.ts'

/** How far a job is. */
export interface WorkProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** What a job is done with. */
export interface WorkTools {
  /** Fires when the work is to end as soon as it can; what is done so far may stay. */
  readonly signal: AbortSignal
  /** May be called often. */
  readonly onProgress: (progress: WorkProgress) => void
}

/** What a worker does of a merge. Each may be called again for what is done, or half done, and by two workers at once. */
export interface PartWork {
  runPart(job: PartJobData, tools: WorkTools): Promise<void>
  /** @returns what a person should know of the output */
  finish(job: MergeJobData, tools: WorkTools): Promise<readonly string[] | void>
}
