import { sourceFiles } from '@mk/source'
import { MergeError } from '../errors.ts'
import { type MergePlan, plannedSources } from '../plan/merge-plan.ts'
import { inParallel } from './in-parallel.ts'
import { compareInputFile, type InputFile } from './input-files.ts'
import { mapPath, type MappedPath } from './map-paths.ts'
import type { PlanFile } from './plan-file.ts'
import { withPaths } from './source-places.ts'

/** A plan, and where its inputs are seen from here. */
export interface LocatedPlan {
  readonly plan: MergePlan
  /** Checks once more that nothing that is read has changed. @throws MergeError 'planned-input-changed' */
  check(): Promise<void>
}

/**
 * Finds the inputs of a part of a plan, and checks that they are what was planned for; what only other parts read need not be here.
 * @param plan whose sources and copies are read; of the others, what has changed is an error, too
 * @throws MergeError 'planned-input-changed', 'planned-input-gone'
 */
export async function locateInputs(
  { files }: Pick<PlanFile, 'files'>,
  plan: MergePlan,
  mapped: readonly MappedPath[],
): Promise<LocatedPlan> {
  const weights = new Set(sourceFiles(plannedSources(plan)))
  const isRead = ({ path }: InputFile) => weights.has(path) || plan.copies.some(({ from }) => from === path)
  const placeOf = (path: string): { readonly at: string; readonly isMoved: boolean } => {
    const at = mapPath(path, mapped)
    return { at: at ?? path, isMoved: at !== undefined }
  }
  const check = async (): Promise<void> => {
    await inParallel(files, async (file) => {
      const { at, isMoved } = placeOf(file.path)
      switch (await compareInputFile(file, at, isMoved)) {
        case 'same':
          return
        case 'changed':
          throw new MergeError({ code: 'planned-input-changed', file: at, isCopy: isMoved })
        case 'gone':
          if (isRead(file))
            throw new MergeError({ code: 'planned-input-gone', file: at, isAtHub: file.hub !== undefined })
      }
    })
  }
  await check()
  return { plan: withPaths(plan, (path) => placeOf(path).at), check }
}
