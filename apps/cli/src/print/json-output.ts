import type { MergeDone } from './format-result.ts'

/** What `--json` prints of a merge: `version` changes when a name goes or changes its meaning. */
export function describeResult({ out, plan, result, seconds }: MergeDone) {
  const models = plan.inputs.map(({ label, hub }) => ({
    model: label,
    ...(hub !== undefined && { id: hub.id, commit: hub.commit }),
  }))
  return { version: 1, out, ...result, seconds, models } as const
}
