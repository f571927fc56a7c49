import { builtinMethods } from '@mk/methods'
import { systemReason } from '@mk/errors'
import { MergeError } from '../errors.ts'
import { openPoolFor } from '../node/open-pool.ts'
import type { RunOptions } from '../node/run-merge.ts'
import { checkOutput, checkOutputPlace } from '../output/check-output.ts'
import { checkSpace } from '../output/check-space.ts'
import { findOutputPlace } from '../output/output-place.ts'
import type { MergePlan } from '../plan/merge-plan.ts'
import { type NonFiniteTensor } from '@mk/tensor'
import { nameNonFinite } from '../run/non-finite.ts'
import { runTensors, trackProgress } from '../run/run-tensors.ts'
import { wasmRuntime } from '../run/task.ts'
import { isOutputOf } from './is-output-of.ts'
import type { MappedPath } from './map-paths.ts'
import { openPartFolder, type PartFolder } from './part-folder.ts'
import { type BroughtPlan, type HubInputs, type LocatedPlan, locateInputs } from './part-inputs.ts'
import { withPaths } from './source-places.ts'
import { checkPart, listParts, type PartNumber, type PlannedPart } from './partition.ts'
import { checkPlanCode, type PlanFile } from './plan-file.ts'

/** Which part is made, where its inputs are, and all that a merge in one run is told, too. */
export interface PartOptions extends PartNumber, HubInputs, Omit<RunOptions, 'onKept'> {
  /** Where inputs are seen from here, where that is not where the plan has them. */
  readonly mapPaths?: readonly MappedPath[]
}

/** What a part has written. */
export interface PartResult extends PartNumber {
  /** Of the part; a tensor that several parts share counts in each of them. */
  readonly tensorCount: number
  readonly writtenBytes: number
  /** Of the tensors above, those that an earlier try had done: all of them where there was nothing left to do. */
  readonly resumedTensors: number
  /** The tensors of the part that have infinite values or NaN, or are made of such. */
  readonly nonFinite: readonly NonFiniteTensor[]
}

/**
 * Makes one part of a merge: writes its bytes into the files of the output, which parts on other machines write to at the same time. A part
 * may be made in any order, several times and at once: it writes the same bytes. What is done is on the disk and stays done; one that ended
 * early goes on from where it was.
 * @throws MergeError of which `fault` tells whether another try may help; what `runMerge` throws
 */
export const runPart = async (file: PlanFile, options: PartOptions): Promise<PartResult> =>
  (await openPart(file, options)).run()

/** A part whose inputs are here. */
interface OpenPart {
  /** Makes it, and drops what was brought for it. */
  run(): Promise<PartResult>
  /** Drops it in the place of that: what an earlier try has done stays. */
  drop(): Promise<void>
}

/** Begins a part as `runPart` does, as far as its inputs are here. */
export async function openPart(file: PlanFile, options: PartOptions): Promise<OpenPart> {
  const { part, of, out, overwrite = false, methods = builtinMethods, runtime = wasmRuntime, signal } = options
  checkPart(options)
  checkPlanCode(file, { methods, runtime })
  const planned = (await listParts(file, of))[part - 1]!
  const plan = planOfPart(file.plan, planned)
  const sizes = trackProgress(plan, new Set(), undefined)
  const asDone = (nonFinite: readonly NonFiniteTensor[]): OpenPart => {
    const tensorCount = plan.tensors.length
    const result = { part, of, tensorCount, writtenBytes: sizes.totalBytes, resumedTensors: tensorCount, nonFinite }
    return { run: async () => result, drop: async () => {} }
  }
  const place = findOutputPlace(out)
  if (!overwrite && (await isOutputOf(file, place))) return asDone([])
  await checkOutput({ out, overwrite })
  const located = await locateInputs(file, plan, options.mapPaths ?? [], options)
  checkOutputPlace(located.plan, out)
  const warnings = new Set<string>()
  const opened = await openPartFolder(place, { part: planned, id: file.id, plan: file.plan, warnings })
  if (opened === undefined) return asDone([])
  if (!('finish' in opened)) {
    for (const warning of opened.warnings) options.onWarning?.(warning)
    return asDone(opened.nonFinite.map(([index, counts]) => nameNonFinite(file.plan, index, counts)))
  }
  const { missingBytes } = trackProgress(located.plan, opened.finished, undefined)
  try {
    await checkSpace([{ folder: opened.partial, bytes: missingBytes }])
    const pending = located.plan.tensors.filter((_, index) => !opened.finished.has(index))
    const brought = await located.bring({ ...located.plan, tensors: pending }, signal)
    return {
      run: () => makePart({ planned, located, opened, brought }, options, warnings),
      async drop() {
        await dropBrought(brought, options)
        await opened.suspend()
      },
    }
  } catch (error) {
    throw await endEarly(error, opened, options)
  }
}

/** A part that is to be made. */
interface BegunPart {
  readonly planned: PlannedPart
  readonly located: LocatedPlan
  readonly opened: PartFolder
  readonly brought: BroughtPlan
}

async function makePart(
  { planned, located, opened, brought }: BegunPart,
  options: PartOptions,
  warnings: Set<string>,
): Promise<PartResult> {
  const { methods = builtinMethods, signal } = options
  const { part, of } = planned
  const progress = trackProgress(located.plan, opened.finished, options.onProgress)
  try {
    const pool = await openPoolFor(located.plan, options)
    try {
      await runTensors(
        withPaths(located.plan, brought.locate),
        {
          methods,
          strict: options.strict ?? false,
          onWarning(message) {
            warnings.add(message)
            options.onWarning?.(message)
          },
          ...(signal && { signal }),
        },
        { pool, output: opened, progress },
      )
    } finally {
      await pool.close()
    }
    await located.check()
    await opened.complete()
  } catch (error) {
    throw await endEarly(error, opened, options)
  } finally {
    await dropBrought(brought, options)
  }
  return {
    part,
    of,
    tensorCount: located.plan.tensors.length,
    writtenBytes: progress.totalBytes,
    resumedTensors: opened.finished.size,
    nonFinite: opened.nonFinite().map(([index, counts]) => nameNonFinite(located.plan, index, counts)),
  }
}

const dropBrought = (brought: BroughtPlan, { onWarning }: PartOptions): Promise<void> =>
  brought
    .drop()
    .catch((cause: unknown) => onWarning?.(`what was fetched could not be deleted (${systemReason(cause)})`))

/** Takes the tensors of a part out of a plan: none of its small files, which `finishMerge` writes. */
const planOfPart = (plan: MergePlan, { tensors }: PlannedPart): MergePlan => ({
  ...plan,
  copies: [],
  documents: [],
  tensors: tensors.map(({ tensor, share }) => ({ ...plan.tensors[tensor]!, ...(share && { share }) })),
})

/** @returns what to throw */
async function endEarly(error: unknown, folder: PartFolder, { signal, onWarning }: PartOptions): Promise<unknown> {
  await folder
    .suspend()
    .catch((cause: unknown) => onWarning?.(`what is done could not be kept (${systemReason(cause)})`))
  if (signal?.aborted === true) return new MergeError({ code: 'interrupted', folder: folder.partial }, { cause: error })
  return error
}
