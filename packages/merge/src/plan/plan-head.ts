import { embeddingNames, hasHead, headNames, isTied, untiedHeadName } from '@mk/architecture'
import { type OutputTensor, originsOf, type PlannedModule } from './list-output-tensors.ts'
import type { PlanContext } from './plan-context.ts'
import { isWithoutLayers } from './resolve-slices.ts'

/** What the head of the output is. */
export interface HeadPlan {
  /** Whether the output ties its head to its embedding; it then has no tensor for it. */
  readonly tied: boolean
  /** All output tensors, with the head that tied models do not store where the output needs one of its own. */
  readonly outputs: readonly OutputTensor[]
}

/**
 * Decides whether the output can tie its head to its embedding: the head is that of the models of the last layers, the embedding
 * that of the first, so both must come from the same models, each of which has one matrix for the two.
 */
export function planHead(context: PlanContext, modules: readonly PlannedModule[]): HeadPlan {
  const { inputs } = context
  const { checkpoints, layouts, donor } = inputs
  const outputs = withoutRepetition(modules.flatMap(({ tensors }) => tensors))
  const embedding = mainEmbedding(context, outputs)
  const donorIsTied = isTied(checkpoints[donor]!.config, layouts[donor])
  if (embedding === undefined) return { tied: false, outputs }
  const stored = mainHead(context, outputs)
  const head = stored ?? unstoredHead(context, modules, outputs)
  if (head === undefined) return { tied: donorIsTied, outputs }
  const merged = [...new Set(originsOf(head).map(({ input }) => input))]
  const areTied = merged.every((input) => isTied(checkpoints[input]!.config, layouts[input]))
  if (stored === undefined && !(areTied && isNeeded(context))) return { tied: donorIsTied, outputs }

  const reasons = reasonsAgainstTying(context, embedding, head)
  if (donorIsTied && reasons.length === 0) return { tied: true, outputs }
  if (donorIsTied) for (const { code, input } of reasons) context.notes.add({ code, ...ofInput(context, input) })
  if (stored !== undefined) return { tied: false, outputs }
  const code = reasons.length === 0 ? 'tied-as-merged' : 'head-from-embedding'
  if (!donorIsTied) for (const input of merged) context.notes.add({ code, ...ofInput(context, input) })
  return reasons.length === 0 ? { tied: true, outputs } : { tied: false, outputs: [...outputs, head] }
}

const ofInput = ({ inputs: { labels, donor } }: PlanContext, input: number) => ({
  donor: labels[donor]!,
  model: labels[input]!,
})

/** Leaves out what another module lists too: inputs may disagree on where a tensor belongs, but an output has it once. */
function withoutRepetition(tensors: readonly OutputTensor[]): readonly OutputTensor[] {
  const byName = new Map<string, OutputTensor>()
  for (const tensor of tensors) if (!byName.has(tensor.name)) byName.set(tensor.name, tensor)
  return [...byName.values()]
}

/** Finds the token embedding of the output: the donor's by name, else the first. */
export function mainEmbedding(
  { inputs: { layouts, donor } }: Pick<PlanContext, 'inputs'>,
  outputs: readonly OutputTensor[],
): OutputTensor | undefined {
  const name = embeddingNames(layouts[donor]!)[0]
  return outputs.find((tensor) => tensor.name === name) ?? outputs.find(({ role }) => role === 'embedding')
}

/** Finds the head of the output: the donor's by name, else the first that another has; layers that predict further tokens have their own. */
export function mainHead(
  { inputs: { layouts, donor } }: Pick<PlanContext, 'inputs'>,
  outputs: readonly OutputTensor[],
): OutputTensor | undefined {
  const names = [layouts[donor]!, ...layouts].flatMap((layout) => headNames(layout).slice(0, 1))
  const heads = outputs.filter(({ role }) => role === 'head')
  return (
    names.map((name) => heads.find((tensor) => tensor.name === name)).find((tensor) => tensor !== undefined) ?? heads[0]
  )
}

/** Whether the output is of a class that has a head, or the config asks for one. */
const isNeeded = (context: PlanContext): boolean => {
  const { checkpoints, donor } = context.inputs
  return hasHead(checkpoints[donor]!.config) || asksForHead(context)
}

/** Checks for a last slice without layers, of other models than the first slice's: it donates nothing but what follows the layers. */
function asksForHead({ config, inputs }: PlanContext): boolean {
  const slices = config.modules[0]?.slices ?? []
  const [first, last] = [slices[0], slices.at(-1)].map((slice) =>
    slice?.sources.map(({ model }) => inputs.indexOf(model)).join(),
  )
  return slices.at(-1)?.sources.every(isWithoutLayers) === true && first !== last
}

/** The head that none of the models stores: that of the stack which leads to the logits. */
function unstoredHead(
  { inputs: { layouts, donor } }: PlanContext,
  modules: readonly PlannedModule[],
  outputs: readonly OutputTensor[],
): OutputTensor | undefined {
  const withEmbedding = modules.find(({ tensors }) => tensors.some(({ role }) => role === 'embedding'))
  const last =
    modules.find(({ module }) => module.kind === 'language') ??
    modules.find(({ module }) => module.kind === 'decoder') ??
    withEmbedding
  if (last === undefined || !outputs.some(({ role }) => role === 'embedding')) return undefined
  return last.afterLayers({ name: untiedHeadName(layouts[donor]!), role: 'head', vocabularyAxis: 0 })
}

/** Names the models for whose sake head and embedding of the output are two matrices; none where they are one. */
function reasonsAgainstTying(
  { options: { heads } }: PlanContext,
  embedding: OutputTensor,
  head: OutputTensor,
): readonly { readonly code: 'head-of-another-model' | 'head-differs'; readonly input: number }[] {
  const [first, last] = [embedding, head].map((tensor) => originsOf(tensor).map(({ input }) => input)) as [
    number[],
    number[],
  ]
  const isSame = (input: number, index: number) =>
    input === first[index] || heads.sameEmbeddings?.has(`${first[index]} ${input}`) === true
  const areSame =
    first.toSorted().join() === last.toSorted().join() || (first.length === last.length && last.every(isSame))
  const others = last.filter((input) => !first.includes(input))
  const strangers = areSame ? [] : others.length > 0 ? others : last
  return [
    ...[...new Set(strangers)].map((input) => ({ code: 'head-of-another-model' as const, input })),
    ...[...new Set(last)]
      .filter((input) => heads.different.has(input) && !strangers.includes(input))
      .map((input) => ({ code: 'head-differs' as const, input })),
  ]
}
