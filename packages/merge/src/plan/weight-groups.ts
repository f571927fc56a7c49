import { isWeightRule, type WeightRule } from '@mk/methods'
import { adaptersOf } from './adapters-of.ts'
import type { CountedModel, CountedTensor, MergePlan, Operation, PlannedTensor, WeightGroup } from './merge-plan.ts'

export type MergeOperation = Extract<Operation, { kind: 'merge' }>
export type MergedTensor = Pick<PlannedTensor, 'name' | 'shape' | 'operation'>

/** Names the rule by which weights of an operation follow from norms; undefined where they are numbers. */
export function findRuleOf(operation: Operation): WeightRule | undefined {
  if (operation.kind !== 'merge') return undefined
  for (const name of Object.keys(operation.parameters)) {
    const value = operation.parameters[name]!
    const rule = typeof value === 'object' ? value.find(isWeightRule) : isWeightRule(value) ? value : undefined
    if (rule !== undefined && !isFile(operation.tensors, name)) return rule
  }
  return undefined
}

/** Puts numbers, one for each model, in the place of such weights. */
export const withoutRules = (operation: Operation, weights: readonly number[]): Operation =>
  operation.kind === 'merge' ? withNumbers(operation, weights, operation.tensors) : operation

/** The same of parameters, wherever they are. @param tensors by parameter, where they name files, which may have any name */
export function withNumbers<T extends Pick<MergeOperation, 'parameters' | 'counted'>>(
  merge: T,
  weights: readonly number[],
  tensors: Readonly<Record<string, unknown>> | undefined,
): Omit<T, 'counted'> {
  const { counted: _, ...given } = merge
  const parameters = Object.entries(given.parameters).map(([name, value]) => [
    name,
    Array.isArray(value) && value.some(isWeightRule) && !isFile(tensors, name) ? weights : value,
  ])
  return { ...given, parameters: Object.fromEntries(parameters) }
}

const isFile = (tensors: Readonly<Record<string, unknown>> = {}, parameter: string): boolean =>
  Object.hasOwn(tensors, parameter)

/** A group of a plan, and where its weights go. */
export interface PlannedWeights extends WeightGroup {
  readonly operations: ReadonlySet<Operation>
}

type GroupedPlan = Pick<MergePlan, 'inputs' | 'tensors' | 'stages' | 'counted'>

/** A part of a plan: a merge that others are made of, or the output. */
const partsOf = ({ inputs, tensors, stages = [] }: GroupedPlan) => [
  ...stages.map(({ name, inputs, tensors }) => ({ stage: name, inputs, tensors })),
  { stage: undefined, inputs, tensors },
]

/** Names the rule of an operation's weights, and what its group is told by. */
function ruleOf({ operation }: MergedTensor): { readonly rule: WeightRule; readonly key: string } | undefined {
  const rule = findRuleOf(operation)
  if (rule === undefined || operation.kind !== 'merge' || operation.counted !== undefined) return undefined
  return { rule, key: JSON.stringify([rule, operation.base?.input, operation.models.map((model) => model.input)]) }
}

/** Groups the tensors whose weights follow from norms by their models, in the order of the plan; those that others wait for come first. */
export function groupWeights(plan: GroupedPlan): readonly PlannedWeights[] {
  const found = partsOf(plan).flatMap(({ stage, inputs, tensors }) => {
    const groups = new Map<string, PlannedWeights & { tensors: CountedTensor[]; operations: Set<Operation> }>()
    for (const tensor of tensors) {
      const found = ruleOf(tensor)
      if (found === undefined) continue
      const operation = tensor.operation as MergeOperation
      const { base, models } = operation
      const group = groups.get(found.key) ?? {
        rule: found.rule,
        ...(stage !== undefined && { stage }),
        labels: models.map((model) => inputs[model.input]!.label),
        baseLabel: base && inputs[base.input]!.label,
        tensors: [],
        operations: new Set<Operation>(),
      }
      groups.set(found.key, group)
      group.tensors.push(countedTensor(found.rule, tensor, operation))
      group.operations.add(operation)
    }
    return [...groups.values()]
  })
  return [...found, ...(plan.counted ?? []).map((group) => ({ ...group, operations: new Set<Operation>() }))]
}

/** Tells what of a tensor norms are counted of: task vectors that adapters are need no elements. */
function countedTensor(
  rule: WeightRule,
  { name, shape }: MergedTensor,
  { base, models }: Pick<MergeOperation, 'base' | 'models'>,
): CountedTensor {
  const counted = models.map(({ source }): CountedModel => {
    const products = rule === 'metagpt' && base !== undefined ? adaptersOf(source, base.source) : undefined
    if (products === undefined) return { kind: 'elements', source }
    return {
      kind: 'products',
      factors: products.flatMap(({ a, b }) => [a, b]),
      scales: products.map(({ scale }) => scale),
    }
  })
  const needsBase = rule === 'metagpt' && counted.some(({ kind }) => kind === 'elements')
  return { name, shape, ...(needsBase && base !== undefined && { base: base.source }), models: counted }
}

/** Tells whether norms of a tensor are counted of elements, which takes a pass over them. */
export const countsElements = (tensor: MergedTensor): boolean => {
  const rule = findRuleOf(tensor.operation)
  return (
    rule !== undefined &&
    countedTensor(rule, tensor, tensor.operation as MergeOperation).models.some(({ kind }) => kind === 'elements')
  )
}

/** What has to be counted before a merge: of each group of tensors the rule, the models, and how many they are. */
export const listCountedWeights = (plan: GroupedPlan) =>
  groupWeights(plan).map(({ rule, stage, labels, tensors }) => ({
    rule,
    ...(stage !== undefined && { stage }),
    models: labels,
    tensorCount: tensors.length,
  }))
