import { architectureName, compareArchitectures } from '@mk/architecture'
import { MergeError } from '../errors.ts'
import type { PlanContext } from './plan-context.ts'
import { usedInputs } from './plan-modules.ts'

/** Checks that all models that the merge uses are of one architecture. @throws MergeError 'mixed-architectures' */
export function checkArchitectures(context: PlanContext): void {
  const { config, inputs } = context
  const used = new Set([inputs.donor, ...config.modules.flatMap((module) => usedInputs(context, module))])
  const checked = [...used]
    .toSorted((a, b) => a - b)
    .map((index) => ({ model: inputs.labels[index]!, config: inputs.checkpoints[index]!.config }))
  if (compareArchitectures(checked.map((entry) => entry.config)).length === 0) return
  throw new MergeError({
    code: 'mixed-architectures',
    families: checked.map((entry) => ({ model: entry.model, family: architectureName(entry.config) ?? 'unknown' })),
  })
}
