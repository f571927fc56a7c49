import { type PlannedInput, plannedModels } from '@mk/merge'
import type { MergeDone } from './format-result.ts'

/** What `--json` prints of a merge: `version` changes when a name goes or changes its meaning. */
export function describeResult({ out, plan, result, seconds, kept = [] }: MergeDone) {
  const all = plannedModels(plan)
  const read = all.filter(({ label }, index) => all.findIndex((other) => other.label === label) === index)
  const atHub = ({ hub }: PlannedInput) => hub !== undefined && { id: hub.id, commit: hub.commit }
  const models = read.flatMap((input) =>
    input.parameter === undefined ? [{ model: input.label, ...atHub(input) }] : [],
  )
  const parameterFiles = read.flatMap((input) =>
    input.parameter === undefined ? [] : [{ file: input.label, parameter: input.parameter, ...atHub(input) }],
  )
  return {
    version: 1,
    out,
    ...result,
    seconds,
    models,
    ...(parameterFiles.length > 0 && { parameterFiles }),
    ...(kept.length > 0 && { kept }),
  } as const
}
