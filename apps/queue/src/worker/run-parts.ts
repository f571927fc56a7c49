import { stat } from 'node:fs/promises'
import {
  finishMerge,
  type MappedPath,
  mapPath,
  type PartOptions,
  type PlanFile,
  readPlanFile,
  runPart,
} from '@mk/merge/parts'
import { describeNonFinite } from '@mk/merge/run'
import type { PartWork } from './part-work.ts'

/** What carries a plan out: the methods that it names, and where the arithmetic is done. */
export type PlanCode = Pick<PartOptions, 'methods' | 'runtime'>

/** How parts are run at a worker. */
export interface PartWorkSettings {
  readonly threads: number
  /** Where this machine has what the plan, and whoever submitted it, know by other paths. */
  readonly mapPaths?: readonly MappedPath[]
  /** Leave models at the hub, and read what a part needs by ranges. */
  readonly streamInputs?: boolean
  /** Loads what a plan needs. @default what is built in, on the processor */
  readonly loadCode?: (file: PlanFile) => Promise<PlanCode>
  readonly onWarning?: (message: string) => void
}

/** Creates the work of a worker: parts of the plan that a job names, written where it says. */
export function createPartWork({
  threads,
  mapPaths = [],
  streamInputs = false,
  loadCode,
  onWarning,
}: PartWorkSettings): PartWork {
  const here = (path: string) => mapPath(path, mapPaths) ?? path
  const readPlan = createPlanReader()
  const shared = { mapPaths, streamInputs, ...(onWarning && { onWarning }) }
  return {
    async runPart({ plan, out, part, parts: of, overwrite, strict }, { signal, onProgress }) {
      const file = await readPlan(here(plan))
      const code = await loadCode?.(file)
      const to = { out: here(out), overwrite, strict }
      await runPart(file, {
        ...shared,
        ...code,
        ...to,
        part,
        of,
        threads,
        signal,
        onProgress: ({ writtenBytes, totalBytes }) => onProgress({ doneBytes: writtenBytes, totalBytes }),
      })
    },
    async finish({ plan, out, overwrite, strict }, { signal }) {
      const file = await readPlan(here(plan))
      const warnings = new Set<string>()
      const { nonFinite } = await finishMerge(file, {
        ...shared,
        ...(await loadCode?.(file)),
        out: here(out),
        overwrite,
        strict,
        signal,
        onWarning(message) {
          warnings.add(message)
          onWarning?.(message)
        },
      })
      return [...warnings, ...nonFinite.map((found) => `NaN or infinite values: ${describeNonFinite(found)}`)]
    },
  }
}

/** One part after the other is of the same plan, which may take seconds to read. */
function createPlanReader(): (path: string) => Promise<PlanFile> {
  let last: { readonly key: string; readonly file: PlanFile } | undefined
  return async (path) => {
    const { mtimeMs = 0, size = 0 } = (await stat(path).catch(() => undefined)) ?? {}
    const key = JSON.stringify([path, mtimeMs, size])
    if (last?.key !== key) last = { key, file: await readPlanFile(path) }
    return last.file
  }
}
