import { plannedModels } from '@mk/merge'
import type { MergeDone } from './format-result.ts'

/** What `--json` prints of a merge: `version` changes when a name goes or changes its meaning. */
export function describeResult({ out, plan, result, seconds, kept = [] }: MergeDone) {
  const all = plannedModels(plan)
  const read = all.filter(({ label }, index) => all.findIndex((other) => other.label === label) === index)
  const models = read.map(({ label, hub }) => ({
    model: label,
    ...(hub !== undefined && { id: hub.id, commit: hub.commit }),
  }))
  return { version: 1, out, ...result, seconds, models, ...(kept.length > 0 && { kept }) } as const
}
