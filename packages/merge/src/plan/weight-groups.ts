import { isWeightRule, type WeightRule } from '@mk/methods'
import type { MergePlan, Operation, PlannedTensor } from './merge-plan.ts'

export type MergeOperation = Extract<Operation, { kind: 'merge' }>
export type MergedTensor = Pick<PlannedTensor, 'name' | 'shape' | 'operation'>

/** Names the rule by which weights of an operation follow from norms; undefined where they are numbers. */
export function findRuleOf(operation: Operation): WeightRule | undefined {
  if (operation.kind !== 'merge') return undefined
  for (const name of Object.keys(operation.parameters)) {
    const value = operation.parameters[name]!
    const rule = typeof value === 'object' ? value.find(isWeightRule) : isWeightRule(value) ? value : undefined
    if (rule !== undefined && !isFile(operation, name)) return rule
  }
  return undefined
}

/** Puts numbers, one for each model, in the place of such weights. */
export function withoutRules(operation: Operation, weights: readonly number[]): Operation {
  if (operation.kind !== 'merge') return operation
  const parameters = Object.entries(operation.parameters).map(([name, value]) => [
    name,
    Array.isArray(value) && value.some(isWeightRule) && !isFile(operation, name) ? weights : value,
  ])
  return { ...operation, parameters: Object.fromEntries(parameters) }
}

/** A file may have any name. */
const isFile = ({ tensors = {} }: MergeOperation, parameter: string): boolean => Object.hasOwn(tensors, parameter)

/** Tensors whose weights follow from norms over all of them. */
export interface WeightGroup {
  readonly rule: WeightRule
  readonly stage?: string
  readonly labels: readonly string[]
  readonly baseLabel: string | undefined
  readonly tensors: MergedTensor[]
}

type GroupedPlan = Pick<MergePlan, 'inputs' | 'tensors' | 'stages'>

/** A part of a plan: a merge that others are made of, or the output. */
const partsOf = ({ inputs, tensors, stages = [] }: GroupedPlan) => [
  ...stages.map(({ name, inputs, tensors }) => ({ stage: name, inputs, tensors })),
  { stage: undefined, inputs, tensors },
]

/** Names the rule of an operation's weights, and what its group is told by. */
function ruleOf({ operation }: MergedTensor): { readonly rule: WeightRule; readonly key: string } | undefined {
  const rule = findRuleOf(operation)
  if (rule === undefined || operation.kind !== 'merge') return undefined
  return { rule, key: JSON.stringify([rule, operation.base?.input, operation.models.map((model) => model.input)]) }
}

/** Groups the tensors whose weights follow from norms by their models, in the order of the plan. */
export function groupWeights(plan: GroupedPlan): readonly WeightGroup[] {
  return partsOf(plan).flatMap(({ stage, inputs, tensors }) => {
    const groups = new Map<string, WeightGroup>()
    for (const tensor of tensors) {
      const found = ruleOf(tensor)
      if (found === undefined) continue
      const { base, models } = tensor.operation as MergeOperation
      const group = groups.get(found.key) ?? {
        rule: found.rule,
        ...(stage !== undefined && { stage }),
        labels: models.map((model) => inputs[model.input]!.label),
        baseLabel: base && inputs[base.input]!.label,
        tensors: [],
      }
      groups.set(found.key, group)
      group.tensors.push(tensor)
    }
    return [...groups.values()]
  })
}

/** What has to be counted before a merge: of each group of tensors the rule, the models, and how many they are. */
export const listCountedWeights = (plan: GroupedPlan) =>
  groupWeights(plan).map(({ rule, stage, labels, tensors }) => ({
    rule,
    ...(stage !== undefined && { stage }),
    models: labels,
    tensorCount: tensors.length,
  }))
