import { embeddingNames, isTied } from '@mk/architecture'
import { isWeightRule } from '@mk/methods'
import { completeRows, cropToCommon } from './crop-embeddings.ts'
import { originsOf, type OutputTensor } from './list-output-tensors.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { HeadPlan } from './plan-head.ts'
import { findSetting } from './plan-parameters.ts'
import { planVocabularyRows } from './plan-vocabulary-rows.ts'

/** The ways in which embeddings and heads deviate from other tensors: tied weights, and the vocabulary of the output. */
export interface EmbeddingPlan {
  /** Whether the output ties its head to the embedding. */
  readonly tied: boolean
  /** Heads of a tied output are not written. */
  leavesOut(tensor: OutputTensor): boolean
  /** The name of the tensor that stands for one that an input lacks: the embedding, for a tied model's head. */
  substituteFor(tensor: OutputTensor, input: number): string | undefined
  /** The inputs as the method is to see them, or another operation in the method's place. */
  prepare(tensor: OutputTensor, inputs: readonly PlannedTensorInput[]): readonly PlannedTensorInput[] | Operation
}

const rowRoles: readonly OutputTensor['role'][] = ['embedding', 'head', 'head-bias']

/** Decides how embedding and head get onto the output's vocabulary, and what stands for a head that is tied. */
export function planEmbeddings(context: PlanContext, { tied, outputs }: HeadPlan): EmbeddingPlan {
  const { inputs, notes, options } = context
  const { labels, checkpoints, layouts, donor } = inputs
  const { rows } = options.vocabulary
  if (tied) {
    // Other inputs only donate something.
    const merged = new Set(outputs.flatMap(originsOf).map(({ input }) => input))
    for (const input of options.heads.unknown)
      if (merged.has(input)) notes.add({ code: 'head-not-compared', donor: labels[donor]!, model: labels[input]! })
  }

  const substituteFor = (tensor: OutputTensor, input: number) => {
    if (tensor.role !== 'head' || !isTied(checkpoints[input]!.config, layouts[input])) return undefined
    return embeddingNames(layouts[input]!)[0]
  }
  const sourceOf = (tensor: OutputTensor, input: number) => {
    const { tensors } = checkpoints[input]!
    return tensors.get(tensor.name) ?? tensors.get(substituteFor(tensor, input) ?? '')
  }
  return {
    tied,
    leavesOut: ({ role }) => tied && role === 'head',
    substituteFor,
    prepare(tensor, found) {
      if (!rowRoles.includes(tensor.role)) return found
      if (rows === undefined) return cropToCommon(tensor, completeRows(tensor, found, context), context)
      const rule = originsOf(tensor)
        .map((origin) => findSetting('weight', tensor, origin)?.value)
        .find(isWeightRule)
      if (rule !== undefined && rows.kind === 'average-rows')
        notes.add({ code: 'rows-weighed-alike', name: tensor.name, rule })
      return planVocabularyRows(tensor, found, { rows, inputs, sourceOf: (input) => sourceOf(tensor, input) })
    },
  }
}
