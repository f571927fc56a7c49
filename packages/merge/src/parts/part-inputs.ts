import { type HubOptions, type HubPlace, type HubRanges, openHubRanges } from '@mk/checkpoint'
import { sourceFiles } from '@mk/source'
import { MergeError } from '../errors.ts'
import { type MergePlan, plannedSources } from '../plan/merge-plan.ts'
import { inParallel } from './in-parallel.ts'
import { compareInputFile, type InputFile } from './input-files.ts'
import { mapPath, type MappedPath } from './map-paths.ts'
import type { PlanFile } from './plan-file.ts'
import { listExtents } from './source-extents.ts'
import { withPaths } from './source-places.ts'
import { streamFiles } from './stream-inputs.ts'

/** How inputs are had that are not on this machine. */
export interface HubInputs {
  /** Read those of the hub there, by ranges; without it, only what its cache has counts. */
  readonly streamInputs?: boolean
  /** How the hub is reached, and where its cache is. */
  readonly hub?: HubOptions
}

/** A plan, and where its inputs are seen from here. */
export interface LocatedPlan {
  readonly plan: MergePlan
  /** Checks once more that nothing that is read has changed. @throws MergeError 'planned-input-changed' */
  check(): Promise<void>
  /**
   * Brings what tensors and copies of the plan need of files that are only at the hub, until it is dropped.
   * @throws CheckpointError `hub-…`; MergeError 'disk-space', 'write-failed'
   */
  bring(part: MergePlan, signal?: AbortSignal): Promise<BroughtPlan>
}

/** A plan whose inputs are all here for a while. */
export interface BroughtPlan {
  /** Gives the path that a file of the plan has here. */
  locate(file: string): string
  drop(): Promise<void>
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
  { streamInputs = false, hub = {} }: HubInputs = {},
): Promise<LocatedPlan> {
  const weights = new Set(sourceFiles(plannedSources(plan)))
  const isRead = ({ path }: InputFile) => weights.has(path) || plan.copies.some(({ from }) => from === path)
  const places = new Map<string, { readonly at: string; readonly isMoved: boolean }>()
  const atHub = new Map<string, HubPlace>()
  let opening: Promise<HubRanges> | undefined
  const ranges = () => (opening ??= openHubRanges(hub))
  const placeOf = (path: string) => {
    const at = mapPath(path, mapped)
    return places.get(path) ?? { at: at ?? path, isMoved: at !== undefined }
  }
  /** Another machine has its cache elsewhere. */
  const findCached = async (file: InputFile): Promise<boolean> => {
    if (file.hub === undefined) return false
    const at = (await ranges()).cachedPath(file.hub)
    if ((await compareInputFile(file, at, false)) !== 'same') return false
    places.set(file.path, { at, isMoved: false })
    return true
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
          if (!isRead(file) || atHub.has(at) || (await findCached(file))) return
          if (file.hub === undefined || !streamInputs)
            throw new MergeError({ code: 'planned-input-gone', file: at, isAtHub: file.hub !== undefined })
          atHub.set(at, file.hub)
      }
    })
  }
  await check()
  return {
    plan: withPaths(plan, (path) => placeOf(path).at),
    check,
    async bring(part, signal) {
      const wanted = [...listExtents(part)].map(([path, extents]) => ({ path, extents }))
      const copied = part.copies.map(({ from: path }) => ({ path }))
      const streamed = [...wanted, ...copied].flatMap((file) => {
        const place = atHub.get(file.path)
        return place === undefined ? [] : [{ ...file, place }]
      })
      if (streamed.length === 0) return { locate: (file) => file, drop: async () => {} }
      return streamFiles(await ranges(), streamed, { signal })
    },
  }
}
