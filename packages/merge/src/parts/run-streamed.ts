import type { MergeResult, RunOptions } from '../node/run-merge.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import type { MergeProgress } from '../run/run-tensors.ts'
import { finishMerge } from './finish-merge.ts'
import type { HubInputs } from './part-inputs.ts'
import { listParts, type PlannedPart } from './partition.ts'
import { createPlanFile, type PlanFile } from './plan-file.ts'
import { openPart } from './run-part.ts'

/** Where a plan is carried out whose inputs have no room on this machine. */
export interface StreamOptions extends Omit<RunOptions, 'onKept'>, Pick<HubInputs, 'hub'> {
  /** How much of the inputs is on this machine at a time, but for what a single tensor is made of; by default 4 GiB. */
  readonly streamBytes?: number
}

const defaultStreamBytes = 2 ** 32

/**
 * Carries out a plan part by part, each with the bytes of its inputs that it needs, which are fetched from the hub by ranges while the part
 * before is made, and deleted when it is done itself. The same bytes as `runMerge` writes; what is done stays, and the same merge goes on from there.
 * @throws what `runPart` and `finishMerge` throw
 */
export async function runStreamed(plan: MergePlan, options: StreamOptions): Promise<MergeResult> {
  const { streamBytes = defaultStreamBytes, onProgress } = options
  const file = await createPlanFile(plan, options)
  const parts = await listBounded(file, streamBytes)
  const total = { totalBytes: sum(parts, ({ writtenBytes }) => writtenBytes), tensorCount: plan.tensors.length }
  const done = { writtenBytes: 0, finishedTensors: 0, resumedTensors: 0 }
  const leaving = new AbortController()
  const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal])
  const begin = ({ part, of, tensors }: PlannedPart) => {
    const report = ({ writtenBytes, finishedTensors, resumedTensors }: MergeProgress) =>
      onProgress?.({
        ...total,
        writtenBytes: Math.min(total.totalBytes, done.writtenBytes + writtenBytes),
        finishedTensors: Math.min(total.tensorCount, done.finishedTensors + finishedTensors),
        resumedTensors: done.resumedTensors + resumedTensors,
      })
    const opening = openPart(file, {
      ...options,
      signal,
      streamInputs: true,
      part,
      of,
      ...(onProgress && { onProgress: report }),
    })
    // It may fail while the part before is made.
    opening.catch(() => {})
    return { opening, tensors }
  }
  let next = parts.length > 0 ? begin(parts[0]!) : undefined
  for (let index = 1; next !== undefined; index++) {
    const { opening, tensors } = next
    next = undefined
    const part = await opening
    next = index < parts.length ? begin(parts[index]!) : undefined
    try {
      const result = await part.run()
      done.writtenBytes += result.writtenBytes
      // Those that go on in the next part are counted there.
      done.finishedTensors += tensors.filter(({ share }) => share === undefined || share.to === 1).length
      done.resumedTensors += result.resumedTensors
    } catch (error) {
      leaving.abort(error)
      const ahead = await next?.opening.catch(() => undefined)
      await ahead?.drop().catch(() => {})
      throw error
    }
  }
  const result = await finishMerge(file, { ...options, streamInputs: true })
  return { ...result, resumedTensors: Math.min(done.resumedTensors, result.tensorCount) }
}

/** As few parts as do with half of that much of the inputs each: while one is made, those of the next come. */
async function listBounded(file: PlanFile, streamBytes: number): Promise<readonly PlannedPart[]> {
  const [all] = await listParts(file, 1)
  return all!.readBytes <= streamBytes ? [all!] : listParts(file, Math.ceil((2 * all!.readBytes) / streamBytes))
}

const sum = (parts: readonly PlannedPart[], of: (part: PlannedPart) => number): number =>
  Math.round(parts.reduce((total, part) => total + of(part), 0))
