import { architectureName, compareArchitectures, isTextPart } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { MergeError } from '../errors.ts'
import type { PlanContext } from './plan-context.ts'
import { usedInputs } from './plan-modules.ts'

/**
 * Checks that all models that the merge uses are of one architecture, or, where the recipe says `missing: base` or mixed
 * architectures are allowed, that one is what the language part of the other was made from, so that it is clear what merges with
 * what.
 * @returns the inputs that are such a pair with the donor: tensors that one of the two lacks are no fault
 * @throws MergeError 'mixed-architectures'
 */
export function checkArchitectures(context: Omit<PlanContext, 'textParts'>): ReadonlySet<number> {
  const { config, inputs, notes, options } = context
  const { labels, checkpoints, layouts, donor } = inputs
  const used = [...new Set([donor, ...config.modules.flatMap((module) => usedInputs(context, module))])].toSorted(
    (a, b) => a - b,
  )
  const described = (input: number) => ({ config: checkpoints[input]!.config, layout: layouts[input]! })
  const parts = new Set<number>()
  const isAsked = options.allowMixedArchitectures || config.missing === 'base'
  let fittingText: string | undefined
  for (const input of used) {
    if (compareArchitectures([donor, input].map((each) => statedConfig(checkpoints[each]!))).length === 0) continue
    const isText = isTextPart(described(input), described(donor))
    if (!isText && !isTextPart(described(donor), described(input))) continue
    const [text, whole] = isText ? [input, donor] : [donor, input]
    fittingText ??= labels[text]!
    if (!isAsked) continue
    parts.add(input)
    notes.add({ code: 'text-part', text: labels[text]!, whole: labels[whole]!, isDonor: whole === donor })
  }
  const checked = used
    .filter((input) => !parts.has(input))
    .map((input) => ({ model: labels[input]!, config: statedConfig(checkpoints[input]!) }))
  if (options.allowMixedArchitectures || compareArchitectures(checked.map((entry) => entry.config)).length === 0)
    return parts
  throw new MergeError({
    code: 'mixed-architectures',
    families: checked.map((entry) => ({ model: entry.model, family: architectureName(entry.config) ?? 'unknown' })),
    ...(fittingText !== undefined && { fittingText }),
  })
}

/** config.json, or what stands in its place in the metadata of a GGUF. */
function statedConfig({ config, gguf }: Checkpoint): Checkpoint['config'] {
  const architecture = gguf?.metadata.get('general.architecture')
  return config ?? (architecture?.type === 'string' ? { model_type: architecture.value } : undefined)
}
