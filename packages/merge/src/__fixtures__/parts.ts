import { join } from 'node:path'
import { createPlanFile } from '../parts/plan-file.ts'
import { readPlanFile, writePlanFile } from '../parts/plan-file-io.ts'
import type { PlanFile } from '../parts/plan-file.ts'
import { finishMerge, type FinishOptions } from '../parts/finish-merge.ts'
import { type PartOptions, type PartResult, runPart } from '../parts/run-part.ts'
import type { MergeResult } from '../node/run-merge.ts'
import type { PrepareSettings } from '../prepare/prepare-merge.ts'
import { prepareIn, wasmRuntime } from './merge.ts'

/** In the calling thread, as all parts of a test. */
export const partRun = { runtime: wasmRuntime, threads: 0, cacheBytes: 2 ** 20 }

/** Plans a recipe of `folder`, and reads the plan from its file. */
export async function planFileIn(folder: string, text: string, prepare: PrepareSettings = {}): Promise<PlanFile> {
  const { plan, methods } = await prepareIn(folder, text, prepare)
  const path = join(folder, 'plan.json')
  await writePlanFile(path, await createPlanFile(plan, { methods, runtime: wasmRuntime, threads: 0 }))
  return readPlanFile(path)
}

/** Makes parts of a plan, in this order. */
export async function makeParts(
  file: PlanFile,
  out: string,
  of: number,
  options: Partial<PartOptions> & { readonly order?: readonly number[] } = {},
): Promise<readonly PartResult[]> {
  const { order = Array.from({ length: of }, (_, index) => index + 1), ...more } = options
  const results: PartResult[] = []
  for (const part of order) results.push(await runPart(file, { ...partRun, part, of, out, ...more }))
  return results
}

/** Completes an output. */
export const finishIn = (file: PlanFile, out: string, more: Partial<FinishOptions> = {}): Promise<MergeResult> =>
  finishMerge(file, { runtime: wasmRuntime, out, ...more })
