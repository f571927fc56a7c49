import { issueErrorOf } from '@mk/errors'
import { type Job, UnrecoverableError, WaitingError } from 'bullmq'
import { type JobProgress, type JobResult, type MergeJobData, partName, type PartJobData } from '../jobs/merge-jobs.ts'
import type { Stop, Stops } from '../jobs/stops.ts'
import type { PartWork, WorkProgress } from './part-work.ts'

/** A job of a merge, as the queue hands it out. */
export type MergeJob = Job<MergeJobData | PartJobData>

/** What processing needs besides the job. */
export interface Processing {
  /** How this worker is called in `status`. */
  readonly worker: string
  readonly stops: Stops
  readonly work: PartWork
  /** Fires when this process is to end: the job goes back to the queue then. */
  readonly leaving: AbortSignal
}

/** How often progress is told, and a stop looked for. */
const beatMs = 1000

/**
 * Does a job. It fails for good where somebody has to mend something, or the merge is canceled; anything else may be tried again.
 * @param lost fires when the queue has given the job to another worker
 */
export async function processJob(
  job: MergeJob,
  { token, lost }: { readonly token: string; readonly lost: AbortSignal },
  { worker, stops, work, leaving }: Processing,
): Promise<JobResult> {
  const { merge } = job.data
  const stopped = await stops.read(merge)
  if (stopped !== undefined) throw stopError(stopped)
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, lost, leaving])
  const beat = startBeat(job, { worker, stops, onStop: (stop) => ending.abort(stop) })
  try {
    const tools = { signal, onProgress: beat.note }
    if (job.name === partName) await work.runPart(job.data as PartJobData, tools)
    else return { worker, warnings: (await work.finish(job.data, tools)) ?? [] }
    return { worker }
  } catch (error) {
    if (ending.signal.aborted) throw stopError(ending.signal.reason as Stop)
    if (leaving.aborted && !lost.aborted) {
      await job.moveToWait(token)
      throw new WaitingError()
    }
    const { fault, code } = issueErrorOf(error) ?? {}
    const message = error instanceof Error ? error.message : String(error)
    if (fault !== 'usage') throw new Error(message, { cause: error })
    const stop: Stop = { kind: 'refused', code: code!, message }
    await stops.write(merge, stop)
    throw stopError(stop)
  } finally {
    beat.end()
  }
}

const stopError = (stop: Stop) => new UnrecoverableError(stop.kind === 'canceled' ? 'canceled' : stop.message)

/** Tells progress and looks for a stop, once in a while; what the Redis doesn't answer now it may later. */
function startBeat(
  job: MergeJob,
  { worker, stops, onStop }: Pick<Processing, 'worker' | 'stops'> & { onStop: (stop: Stop) => void },
): { note: (progress: WorkProgress) => void; end: () => void } {
  let latest: JobProgress = { worker, doneBytes: 0, totalBytes: 'totalBytes' in job.data ? job.data.totalBytes : 0 }
  let isAsking = false
  const beat = async () => {
    if (isAsking) return
    isAsking = true
    try {
      await job.updateProgress(latest)
      const stop = await stops.read(job.data.merge)
      if (stop !== undefined) onStop(stop)
    } catch {
      // The next one tells.
    } finally {
      isAsking = false
    }
  }
  void beat()
  const timer = setInterval(() => void beat(), beatMs)
  return {
    note: ({ doneBytes, totalBytes }) => (latest = { worker, doneBytes, totalBytes }),
    end: () => clearInterval(timer),
  }
}
