import type { AdapterSpace } from '@mk/config'
import { builtinMethods, type MethodDefinition } from '@mk/methods'
import type { TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import {
  type MergePlan,
  methodOf,
  type Operation,
  operationInputs,
  type PlannedTensor,
  type PlannedTensorInput,
} from '../plan/merge-plan.ts'
import { sourceKey, takeApart } from '../plan/adapters-of.ts'
import { worksOnMatrices } from '../plan/check-matrices.ts'
import { findRuleOf, withoutRules } from '../plan/weight-groups.ts'
import { linearForm, type LinearMerge } from './linear-form.ts'

/** One product of an adapter, as a merge takes it. */
export interface ProductPart {
  readonly a: PlannedTensorInput
  readonly b: PlannedTensorInput
  readonly scale: number
  /** Which of the merged models it belongs to, from 0. */
  readonly model: number
}

type Merge = Extract<Operation, { readonly kind: 'merge' }>

/** What a merge changes in a tensor of its base, as far as can be told without its elements. */
export type TensorChange =
  | { readonly kind: 'none' }
  /** The sum of these products. */
  | {
      readonly kind: 'products'
      readonly parts: readonly ProductPart[]
      /** What merges them, where their scales are still to be multiplied by what its weights become. */
      readonly weighing?: Merge
    }
  /** Products that a method is to merge otherwise than element by element. */
  | {
      readonly kind: 'knots' | 'paired-factors'
      readonly parts: readonly ProductPart[]
      readonly operation: Merge
    }
  /** What the operation gives, less the base unless it is the change already. */
  | {
      readonly kind: 'difference'
      readonly operation: Operation
      readonly isChange: boolean
      readonly reason: string
      /** Products among what is merged. */
      readonly parts: readonly ProductPart[]
    }
  /** What a method that works on whole matrices makes of task vectors. */
  | {
      readonly kind: 'task-vectors'
      readonly operation: Merge
      /** Whether the models are over zeros; else over the merge's base, or the adapter's where the merge has none. */
      readonly isOverZero: boolean
      /** Whether the merge's base is another tensor than the adapter's. */
      readonly isMoved: boolean
      readonly reason: string
      readonly parts: readonly ProductPart[]
    }
  /** Rows of tokens, or a tensor that the base doesn't have. */
  | { readonly kind: 'whole' }

/** What the changes of a merge are described by. */
export interface ChangeContext {
  readonly plan: MergePlan
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly space: AdapterSpace
  /** Tells whether a tensor that adapters are over is the base's, element by element, where it is worth looking. */
  readonly isBase: (tensor: PlannedTensor, root: PlannedTensorInput, base: TensorSource) => boolean
}

/**
 * Tells what a merge changes in a tensor of its base.
 * @param base undefined where it doesn't have the tensor
 * @throws MergeError 'adapter-space'
 */
export async function describeChange(
  tensor: PlannedTensor,
  base: TensorSource | undefined,
  { plan, methods, space, isBase }: ChangeContext,
): Promise<TensorChange> {
  const { operation } = tensor
  if (base === undefined || operation.kind === 'rows' || operation.kind === 'slerp-rows') return { kind: 'whole' }
  const baseKey = sourceKey(takeApart(base).root)
  // Files that parameters name are no models.
  const inputs =
    operation.kind === 'merge'
      ? [...(operation.base ? [operation.base] : []), ...operation.models]
      : operationInputs(operation)
  const first = operation.kind === 'merge' && operation.base !== undefined ? 1 : 0
  const taken = inputs.map((input, slot) => {
    const { root, products } = takeApart(input.source)
    const parts = products.map(({ a, b, scale }) => ({
      a: { ...input, source: a },
      b: { ...input, source: b },
      scale,
      model: slot - first,
    }))
    const key = sourceKey(root)
    return { key: key !== baseKey && isBase(tensor, { ...input, source: root }, base) ? baseKey : key, parts }
  })
  const all = taken.flatMap(({ parts }) => parts)
  const unrounded = withUnroundedProducts(operation)
  const isOfBase = taken.every(({ key }) => key === baseKey)
  if (operation.kind !== 'merge') {
    if (isOfBase) return productsOf(all)
    return { kind: 'difference', operation: unrounded, isChange: false, reason: 'it is of another model', parts: all }
  }
  const called = methodOf(plan, operation)
  const method = methods.get(called)!
  const isOfMatrices = worksOnMatrices(method, tensor)
  // A plan runs no code of the user's.
  const isKnown = builtinMethods.get(called) === method && operation.tensors === undefined && !isOfMatrices
  const form = isKnown ? await linearForm(method, linearMerge(operation), tensor) : undefined
  const followsBase = method.ofTaskVectors === true || (form !== undefined && isZero(sumOf(form) - 1))
  if (space !== 'products' && tensor.shape.length === 2 && all.length > 0) {
    const fail = (problem: 'method' | 'model' | 'ranks', of: string): never => {
      throw new MergeError({ code: 'adapter-space', space, tensor: tensor.name, problem, of })
    }
    const stranger = taken.findIndex(({ key }) => key !== baseKey)
    if (stranger >= 0) fail('model', plan.inputs[inputs[stranger]!.input]!.label)
    if (!followsBase || operation.tensors !== undefined) fail('method', called)
    const ranks = [...new Set(all.map(({ a }) => a.source.shape[0]!))]
    if (space === 'factors' && ranks.length > 1) fail('ranks', ranks.join(', '))
    return { kind: space === 'knots' ? 'knots' : 'paired-factors', parts: all, operation }
  }
  if (form !== undefined) {
    const left = new Map([[baseKey, -1]])
    taken.forEach(({ key }, slot) => left.set(key, (left.get(key) ?? 0) + form[slot]!))
    if ([...left.values()].every(isZero)) {
      const factors = findRuleOf(operation) === undefined ? form : form.map((factor) => Number(factor !== 0))
      return productsOf(
        taken.flatMap(({ parts }, slot) => parts.map((p) => ({ ...p, scale: p.scale * factors[slot]! }))),
        factors === form ? undefined : operation,
      )
    }
  }
  const reason = isOfBase
    ? `${called} is not linear in its models`
    : 'not all models are the base with adapters over it'
  const streams = isOfMatrices && method.ofTaskVectors === true && tensor.shape.length === 2
  if (method.ofTaskVectors === true && isOfBase) {
    if (all.length === 0) return { kind: 'none' }
    const zero: TensorSource = {
      kind: 'gather',
      dtype: 'F32',
      shape: tensor.shape,
      sources: [],
      segments: [{ kind: 'zero', rowCount: tensor.shape[0] ?? 1 }],
    }
    const overZero = over(operation, zero)
    if (streams)
      return { kind: 'task-vectors', operation: overZero, isOverZero: true, isMoved: false, reason, parts: all }
    return { kind: 'difference', operation: overZero, isChange: true, reason, parts: all }
  }
  if (streams) {
    const isMoved = operation.base !== undefined && taken[0]!.key !== baseKey
    const over = mapMerge(operation, unroundedProducts)
    return { kind: 'task-vectors', operation: over, isOverZero: false, isMoved, reason, parts: all }
  }
  return { kind: 'difference', operation: unrounded, isChange: false, reason, parts: all }
}

/** Weights that follow from norms are numbers of no meaning until these are counted: positive, different, of the sum 1. */
function linearMerge(given: Merge): LinearMerge {
  const { base, models } = given
  const count = models.length
  const all = (count * (count + 3)) / 2
  const operation = withoutRules(
    given,
    models.map((_, model) => (model + 2) / all),
  ) as Merge
  const { parameters, layerDepth } = operation
  return {
    parameters,
    hasBase: base !== undefined,
    modelCount: count,
    ...(layerDepth !== undefined && { layerDepth }),
  }
}

/** Factors and weights have come by a few roundings of float64. */
const isZero = (value: number): boolean => Math.abs(value) < 1e-9

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0)

function productsOf(parts: readonly ProductPart[], weighing?: Merge): TensorChange {
  const present = parts.filter(({ scale }) => scale !== 0)
  return present.length === 0 ? { kind: 'none' } : { kind: 'products', parts: present, ...(weighing && { weighing }) }
}

/** A sum of base and product that was rounded to 16 bits would be a change of its own. */
const withUnroundedProducts = (operation: Operation): Operation => mapSources(operation, unroundedProducts)

const unroundedProducts = (source: TensorSource): TensorSource =>
  source.kind === 'lora' ? { ...source, dtype: 'F32', source: unroundedProducts(source.source) } : source

/** The same operation on adapters over another tensor. */
const over = (operation: Merge, root: TensorSource): Merge => {
  const replaced = (source: TensorSource): TensorSource =>
    source.kind === 'lora' ? { ...source, dtype: 'F32', source: replaced(source.source) } : root
  return mapMerge(operation, replaced)
}

function mapMerge(operation: Merge, map: (source: TensorSource) => TensorSource): Merge {
  const mapped = (input: PlannedTensorInput) => ({ ...input, source: map(input.source) })
  const { base, models } = operation
  return { ...operation, models: models.map(mapped), ...(base && { base: mapped(base) }) }
}

function mapSources(operation: Operation, map: (source: TensorSource) => TensorSource): Operation {
  const mapped = (input: PlannedTensorInput) => ({ ...input, source: map(input.source) })
  switch (operation.kind) {
    case 'copy':
      return { ...operation, input: mapped(operation.input) }
    case 'merge':
      return mapMerge(operation, map)
    case 'rows':
    case 'slerp-rows':
    case 'factors':
      return { ...operation, inputs: operation.inputs.map(mapped) }
    case 'other-factor':
      return operation
    default:
      return operation satisfies never
  }
}
