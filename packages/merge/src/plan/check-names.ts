import type { CheckpointLayout, LayoutTensor } from '@mk/architecture'
import { MergeError } from '../errors.ts'
import type { PlanContext } from './plan-context.ts'
import { usedInputs } from './plan-modules.ts'

const shownNames = 3

/** Checks that each model has at least one tensor in its layers that the donor has, too. @throws MergeError 'other-names' */
export function checkNames(context: PlanContext): void {
  const { config, inputs } = context
  const { layouts, labels, donor } = inputs
  const ofDonor = new Set<string>()
  for (const { template } of tensorsInLayers(layouts[donor]!)) ofDonor.add(template)
  if (ofDonor.size === 0) return
  for (const input of new Set(config.modules.flatMap((module) => usedInputs(context, module)))) {
    if (input === donor || sharesTemplate(layouts[input]!, ofDonor)) continue
    const [first, others] = [donor, input].map((model) =>
      [...layerNames(layouts[model]!).values()].slice(0, shownNames).flat(),
    )
    throw new MergeError({
      code: 'other-names',
      model: labels[input]!,
      donor: labels[donor]!,
      names: others!,
      donorNames: first!,
    })
  }
}

/** Mostly the first tensor tells. */
function sharesTemplate(layout: CheckpointLayout, known: ReadonlySet<string>): boolean {
  for (const { template } of tensorsInLayers(layout)) if (known.has(template)) return true
  return false
}

function* tensorsInLayers({ modules }: CheckpointLayout): Generator<LayoutTensor> {
  for (const { tensors } of modules)
    for (const tensor of tensors) if (tensor.layer !== undefined && tensor.role !== 'buffer') yield tensor
}

/** The names of tensors in layers, by what they have in common. */
function layerNames(layout: CheckpointLayout): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const { name, template } of tensorsInLayers(layout)) {
    const alike = names.get(template)
    if (alike === undefined) names.set(template, [name])
    else alike.push(name)
  }
  return names
}
