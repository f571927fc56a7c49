import { type MethodDefinition, MethodError, normTerms, type WeightRule, weightsByNorm } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { sourceBytes, withUnroundedRows } from '@mk/source'
import { input, sum } from '@mk/tensor'
import { createSession, type RunStage } from '@mk/tensor/runtime'
import { fillWeights } from '../plan/card-weights.ts'
import { type MergePlan, type Operation, operationInputs } from '../plan/merge-plan.ts'
import {
  groupWeights,
  type MergedTensor,
  type MergeOperation,
  type WeightGroup,
  withoutRules,
} from '../plan/weight-groups.ts'
import { kernelWork } from './kernel-work.ts'
import { type RangesRun, runRanges } from './run-ranges.ts'
import { createStageRunner } from './run-stages.ts'
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
 * Finds the weights of a plan that follow from norms: goes once through all tensors that they are for, and puts numbers into the plan and
 * its card. Sums are float64, tensor by tensor in the order of the plan, so that threads change nothing.
 * @throws MethodError 'not-finite', 'norm-zero'; the signal's reason
 */
export async function weighPlan(plan: MergePlan, options: CountOptions): Promise<WeighedPlan> {
  const groups = groupWeights(plan)
  if (groups.length === 0) return { plan, weights: [] }
  const { known } = options
  const totalBytes = groups.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + readBytes(tensor), 0)
  const weights: WeightsByNorm[] = []
  let doneBytes = 0
  const onTensor = (tensor: MergedTensor) => {
    doneBytes += readBytes(tensor)
    options.onCounted?.({ doneBytes, totalBytes })
  }
  for (const [index, group] of groups.entries()) {
    const isKnown = known !== undefined && known.length === groups.length
    // What a merge is made of has its numbers by now.
    const weighed = isKnown ? plan : withWeights(plan, groups, weights)
    weights.push(isKnown ? known[index]! : await countGroup(weighed, group, options, onTensor))
  }
  const weighed = withWeights(plan, groups, weights)
  return { plan: { ...weighed, documents: fillWeights(weighed.documents, weights) }, weights }
}

const readBytes = ({ operation }: MergedTensor): number =>
  operationInputs(operation).reduce((sum, { source }) => sum + sourceBytes(source), 0)

async function countGroup(
  plan: MergePlan,
  { rule, stage, labels, baseLabel, tensors }: WeightGroup,
  { methods, pool, signal }: CountOptions,
  onTensor: (tensor: MergedTensor) => void,
): Promise<WeightsByNorm> {
  const stages = plan.stages && createStageRunner(plan, [], { methods, pool })
  const squares = tensors.map(() => labels.map(() => 0))
  let next = 0
  const countNext = async () => {
    while (next < tensors.length) {
      signal?.throwIfAborted()
      const index = next++
      const tensor = tensors[index]!
      const { base, models } = tensor.operation as MergeOperation
      const stored = operationInputs(tensor.operation).map(({ source }) => source)
      const sources = stored.map(withUnroundedRows)
      const merged = await stages?.worksFor(stored)
      const id = uncountedId - tensors.length + index
      const ranges: RangesRun = { pool, elementCount: elementCount(tensor.shape), owners: new Map() }
      const runStage: RunStage = async (pass, onResult) => {
        const work = kernelWork(pass, pass.columns)
        const shared = { tensor: id, sources, ...(merged && merged.length > 0 && { merged }) }
        await runRanges(ranges, pass, { ...shared, work, output: undefined, keep: false }, onResult)
      }
      const session = createSession({ shape: tensor.shape, inputDtypes: sources.map(({ dtype }) => dtype), runStage })
      const first = base === undefined ? 0 : 1
      const slots = { base: base && input(0), models: models.map((_, model) => input(first + model)) }
      try {
        const terms = normTerms(rule, slots).map((term, model) => [String(model), sum(term, 'tensor')] as const)
        const found = elementCount(tensor.shape) === 0 ? {} : await session.reduce(Object.fromEntries(terms))
        for (const [model, square] of Object.entries(found)) {
          if (!Number.isFinite(square)) {
            const name = rule === 'metagpt' ? `${labels[Number(model)]!} or ${baseLabel!}` : labels[Number(model)]!
            throw new MethodError({ code: 'not-finite', tensor: tensor.name, model: Number(model), name })
          }
          squares[index]![Number(model)] = square
        }
      } finally {
        pool.forget(id)
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

/** Apart from what tensors in flight have in a pool: those of merges count down from −1. */
const uncountedId = -(2 ** 40)

/** Puts the weights of the first groups into a plan. */
function withWeights(plan: MergePlan, groups: readonly WeightGroup[], weights: readonly WeightsByNorm[]): MergePlan {
  const found = new Map<Operation, readonly number[]>()
  for (const [index, { models }] of weights.entries())
    for (const { operation } of groups[index]!.tensors)
      found.set(
        operation,
        models.map(({ weight }) => weight),
      )
  const weigh = <T extends MergedTensor>(tensor: T): T => {
    const { operation } = tensor
    const values = found.get(operation)
    if (values === undefined) return tensor
    return { ...tensor, operation: withoutRules(operation, values) }
  }
  const stages = plan.stages?.map((stage) => ({ ...stage, tensors: stage.tensors.map(weigh) }))
  return { ...plan, tensors: plan.tensors.map(weigh), ...(stages && { stages }) }
}
