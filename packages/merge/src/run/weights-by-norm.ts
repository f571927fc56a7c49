import { type MethodDefinition, MethodError, normTerms, type WeightRule, weightsByNorm } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { sourceBytes, withUnroundedRows } from '@mk/source'
import { input, sum } from '@mk/tensor'
import { createSession, type RunStage } from '@mk/tensor/runtime'
import { fillWeights } from '../plan/card-weights.ts'
import {
  type CountedTensor,
  countedSources,
  type MergePlan,
  type Operation,
  type WeightGroup,
} from '../plan/merge-plan.ts'
import { groupWeights, type MergedTensor, type PlannedWeights } from '../plan/weight-groups.ts'
import { kernelWork } from './kernel-work.ts'
import { type RangesRun, runRanges } from './run-ranges.ts'
import { createStageRunner, type StageRunner } from './run-stages.ts'
import type { FactorTask, FactorWork, TensorPass } from './task.ts'
import { countedOf, weighOperation, withScales } from './weigh-operation.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Weights that follow from norms: those of all tensors that are merged from the same models and say so. */
export interface WeightsByNorm {
  readonly rule: WeightRule
  /** The merge that it is of, where that is none of the output. */
  readonly stage?: string
  /** What the user calls the models, and for each its norm and the weight that follows. */
  readonly models: readonly { readonly model: string; readonly norm: number; readonly weight: number }[]
  readonly tensorCount: number
}

/** How much of what norms are counted of has been gone through. */
export interface CountProgress {
  readonly doneBytes: number
  readonly totalBytes: number
}

/** By what norms are counted, and what is known of them. */
export interface CountOptions {
  readonly methods: ReadonlyMap<string, MethodDefinition>
  readonly pool: WorkerPool
  /** What an earlier run of the plan has counted. */
  readonly known?: readonly WeightsByNorm[] | undefined
  readonly signal?: AbortSignal | undefined
  readonly onCounted?: ((progress: CountProgress) => void) | undefined
}

/** A plan with numbers where weights follow from norms, and what they follow from. */
export interface WeighedPlan {
  readonly plan: MergePlan
  readonly weights: readonly WeightsByNorm[]
}

/**
 * Finds the weights of a plan that follow from norms: goes once through all tensors that they are for, or through the factors of adapters
 * where these are what task vectors are, and puts numbers into the plan and its card. Sums are float64, tensor by tensor in the order of
 * the plan, so that threads change nothing.
 * @throws MethodError 'not-finite', 'norm-zero'; the signal's reason
 */
export async function weighPlan(plan: MergePlan, options: CountOptions): Promise<WeighedPlan> {
  const groups = groupWeights(plan)
  if (groups.length === 0) return { plan, weights: [] }
  const { known } = options
  const totalBytes = groups.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + readBytes(tensor), 0)
  const weights: WeightsByNorm[] = []
  let doneBytes = 0
  const onTensor = (tensor: CountedTensor) => {
    doneBytes += readBytes(tensor)
    options.onCounted?.({ doneBytes, totalBytes })
  }
  for (const [index, group] of groups.entries()) {
    const isKnown = known !== undefined && known.length === groups.length
    // What a merge is made of has its numbers by now.
    const weighed = isKnown ? plan : withWeights(plan, groups, weights)
    weights.push(isKnown ? known[index]! : await countGroup(weighed, group, options, onTensor))
  }
  const { counted: _, ...weighed } = withWeights(plan, groups, weights)
  const tensors = await withScales(weighed, options.methods)
  return { plan: { ...weighed, tensors, documents: fillWeights(weighed.documents, weights) }, weights }
}

const readBytes = (tensor: CountedTensor): number =>
  countedSources(tensor).reduce((sum, source) => sum + sourceBytes(source), 0)

async function countGroup(
  plan: MergePlan,
  { rule, stage, labels, baseLabel, tensors }: WeightGroup,
  { methods, pool, signal }: CountOptions,
  onTensor: (tensor: CountedTensor) => void,
): Promise<WeightsByNorm> {
  const stages = plan.stages && createStageRunner(plan, [], { methods, pool })
  const squares = tensors.map(() => labels.map(() => 0))
  const firstId = uncountedId - 2 * tensors.length
  let next = 0
  const countNext = async () => {
    while (next < tensors.length) {
      signal?.throwIfAborted()
      const index = next++
      const tensor = tensors[index]!
      const found = [
        ...(await countElements(tensor, rule, { pool, stages, id: firstId + 2 * index })),
        ...(await countProducts(tensor, { pool, id: firstId + 2 * index + 1 })),
      ]
      for (const [model, square] of found) {
        if (!Number.isFinite(square)) {
          const name = rule === 'metagpt' ? `${labels[model]!} or ${baseLabel!}` : labels[model]!
          throw new MethodError({ code: 'not-finite', tensor: tensor.name, model, name })
        }
        squares[index]![model] = square
      }
      onTensor(tensor)
    }
  }
  try {
    await Promise.all(Array.from({ length: pool.size + 1 }, countNext))
  } finally {
    next = tensors.length
  }
  const totals = labels.map((_, model) => squares.reduce((total, each) => total + each[model]!, 0))
  const weights = weightsByNorm(rule, totals, (model) => labels[model]!)
  const models = labels.map((model, i) => ({ model, norm: Math.sqrt(totals[i]!), weight: weights[i]! }))
  return { rule, ...(stage !== undefined && { stage }), models, tensorCount: tensors.length }
}

/** The square of a norm, as far as one tensor goes, under the position of its model. */
type Squares = readonly (readonly [model: number, square: number])[]

/** Goes through the elements of the models of which no more is known. */
async function countElements(
  tensor: CountedTensor,
  rule: WeightRule,
  { pool, stages, id }: { readonly pool: WorkerPool; readonly stages: StageRunner | undefined; readonly id: number },
): Promise<Squares> {
  const { base, shape, models } = tensor
  const streamed = models.flatMap((model, at) => (model.kind === 'elements' ? [{ at, source: model.source }] : []))
  if (streamed.length === 0 || elementCount(shape) === 0) return []
  const stored = [...(base === undefined ? [] : [base]), ...streamed.map(({ source }) => source)]
  const sources = stored.map(withUnroundedRows)
  const merged = await stages?.worksFor(stored)
  const ranges: RangesRun = { pool, elementCount: elementCount(shape), owners: new Map() }
  const runStage: RunStage = async (pass, onResult) => {
    const work = kernelWork(pass, pass.columns)
    const shared = { tensor: id, sources, ...(merged && merged.length > 0 && { merged }) }
    await runRanges(ranges, pass, { ...shared, work, output: undefined, keep: false }, onResult)
  }
  const session = createSession({ shape, inputDtypes: sources.map(({ dtype }) => dtype), runStage })
  const first = base === undefined ? 0 : 1
  const slots = { base: base && input(0), models: streamed.map((_, i) => input(first + i)) }
  const terms = normTerms(rule, slots).map((term, i) => [String(streamed[i]!.at), sum(term, 'tensor')] as const)
  try {
    const found = await session.reduce(Object.fromEntries(terms))
    return Object.entries(found).map(([model, square]) => [Number(model), square])
  } finally {
    pool.forget(id)
  }
}

/** Computes them of the factors of adapters, where task vectors are products of these. */
async function countProducts(
  { name, models }: CountedTensor,
  { pool, id }: { readonly pool: WorkerPool; readonly id: number },
): Promise<Squares> {
  const products = models.flatMap((each, model) =>
    each.kind === 'products' ? each.scales.map((scale) => ({ scale, model })) : [],
  )
  if (products.length === 0) return []
  const sources = models.flatMap((each) => (each.kind === 'products' ? each.factors : []))
  const task: FactorTask = { kind: 'squares', products, modelCount: models.length }
  const work: FactorWork = { kind: 'factors', tensor: name, task }
  const pass: TensorPass = { tensor: id, sources, work, output: undefined, keep: false }
  try {
    const { results } = await pool.run({ pass, ranges: [{ start: 0, end: 1 }], groups: [0] }, undefined)
    const squares = results[0]!.result[1]!
    return [...new Set(products.map(({ model }) => model))].map((model) => [model, squares[model]!])
  } finally {
    pool.forget(id)
  }
}

/** Apart from what tensors in flight have in a pool: those of merges count down from −1. */
const uncountedId = -(2 ** 40)

/** Puts the weights of the first groups into a plan. */
function withWeights(plan: MergePlan, groups: readonly PlannedWeights[], weights: readonly WeightsByNorm[]): MergePlan {
  const found = new Map<Operation, readonly number[]>()
  const numbers = weights.map(({ models }) => models.map(({ weight }) => weight))
  for (const [index, values] of numbers.entries())
    for (const operation of groups[index]!.operations) found.set(operation, values)
  // Those of an adapter's plan come last.
  const first = groups.length - (plan.counted?.length ?? 0)
  const weigh = <T extends MergedTensor>(tensor: T): T => {
    const { operation } = tensor
    const counted = countedOf(operation)
    const values = counted === undefined ? found.get(operation) : numbers[first + counted]
    return values === undefined ? tensor : { ...tensor, operation: weighOperation(operation, values) }
  }
  const stages = plan.stages?.map((stage) => ({ ...stage, tensors: stage.tensors.map(weigh) }))
  return { ...plan, tensors: plan.tensors.map(weigh), ...(stages && { stages }) }
}
