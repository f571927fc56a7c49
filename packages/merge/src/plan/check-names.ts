import type { CheckpointLayout } from '@mk/architecture'
import { MergeError } from '../errors.ts'
import type { PlanContext } from './plan-context.ts'
import { usedInputs } from './plan-modules.ts'

const shownNames = 3

/** Checks that each model has at least one tensor in its layers that the donor has, too. @throws MergeError 'other-names' */
export function checkNames(context: PlanContext): void {
  const { config, inputs } = context
  const { layouts, labels, donor } = inputs
  const ofDonor = layerNames(layouts[donor]!)
  if (ofDonor.size === 0) return
  for (const input of new Set(config.modules.flatMap((module) => usedInputs(context, module)))) {
    const names = layerNames(layouts[input]!)
    if (input === donor || [...names.keys()].some((template) => ofDonor.has(template))) continue
    const [first, others] = [ofDonor, names].map((known) => [...known.values()].slice(0, shownNames).flat())
    throw new MergeError({
      code: 'other-names',
      model: labels[input]!,
      donor: labels[donor]!,
      names: others!,
      donorNames: first!,
    })
  }
}

/** The names of tensors in layers, by what they have in common. */
function layerNames({ modules }: CheckpointLayout): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const { name, layer, role, template } of modules.flatMap(({ tensors }) => tensors)) {
    if (layer === undefined || role === 'buffer') continue
    const alike = names.get(template)
    if (alike === undefined) names.set(template, [name])
    else alike.push(name)
  }
  return names
}
