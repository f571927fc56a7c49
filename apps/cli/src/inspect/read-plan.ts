import type { PlanToCompare } from '@mk/inspect'
import type { MappedPath } from '@mk/merge/parts'
import { loadPlanCode } from '../parts/load-plan-code.ts'

/** What may be said of a plan beside the plan. */
export interface PlanFlags {
  readonly mapPath?: readonly MappedPath[]
  readonly methodModule?: readonly string[]
  readonly allowCode?: boolean
}

/** Reads the plan by which an output is computed anew, finds its inputs and loads its methods. @throws MergeError of plan files and their inputs; MethodError */
export async function readPlan(
  path: string,
  { mapPath = [], methodModule, allowCode }: PlanFlags,
): Promise<Pick<PlanToCompare, 'plan' | 'methods' | 'runtime' | 'check'>> {
  const { locateInputs, readPlanFile } = await import('../parts/merging-parts.ts')
  const file = await readPlanFile(path)
  const located = await locateInputs(file, file.plan, mapPath)
  return { ...located, ...(await loadPlanCode(file, { methodModule, allowCode, mapPaths: mapPath })) }
}
