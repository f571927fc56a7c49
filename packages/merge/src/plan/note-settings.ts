import { compareDecisiveSettings, isReordered } from '@mk/architecture'
import type { PlannedModule } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'

/** Notes, for every model that is merged, what config.json of the output says otherwise than its own, where shapes don't show it. */
export function noteSettings({ inputs, notes }: PlanContext, planned: PlannedModule): void {
  const { checkpoints, labels, donor } = inputs
  const own = { config: checkpoints[donor]!.config, module: planned.module }
  const sources = planned.slices.flatMap(({ sources }) => sources)
  const modules = new Map(sources.map(({ input, module }) => [input, module]))
  const differences = new Map<
    string,
    { readonly key: string; readonly value: string; other: string; models: string[] }
  >()
  for (const [input, module] of modules) {
    if (input === donor) continue
    const other = { config: checkpoints[input]!.config, module }
    for (const found of compareDecisiveSettings(own, other, { areLayersMoved: isReordered(planned) })) {
      const [value, otherValue] = [found.value, found.other].map((value) => JSON.stringify(value)) as [string, string]
      const id = JSON.stringify([found.key, value, otherValue])
      const known = differences.get(id)
      if (known === undefined)
        differences.set(id, { key: found.key, value, other: otherValue, models: [labels[input]!] })
      else known.models.push(labels[input]!)
    }
  }
  for (const difference of differences.values())
    notes.add({ code: 'settings-differ', donor: labels[donor]!, ...difference })
}
