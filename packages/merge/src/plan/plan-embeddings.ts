import { embeddingNames, isTied } from '@mk/architecture'
import { cropToCommon } from './crop-embeddings.ts'
import { originsOf, type OutputTensor } from './list-output-tensors.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
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

/**
 * Decides whether the output ties its head to its embedding, and how both get onto the output's vocabulary.
 * @param ownHead models that the config takes for the sake of their head, which in a tied model is its embedding
 */
export function planEmbeddings(
  context: PlanContext,
  outputs: readonly OutputTensor[],
  ownHead: readonly number[],
): EmbeddingPlan {
  const { inputs, notes, options } = context
  const { labels, checkpoints, layouts, donor } = inputs
  const { rows } = options.vocabulary
  // Other inputs only donate something.
  const merged = new Set(outputs.flatMap(originsOf).map(({ input }) => input))
  const hasEmbedding = embeddingNames(layouts[donor]!).length > 0
  const different = [...options.heads.different].filter((input) => merged.has(input))
  const donorIsTied = isTied(checkpoints[donor]!.config, layouts[donor])
  const tied = donorIsTied && hasEmbedding && different.length === 0 && ownHead.length === 0
  const ofInput = (input: number) => ({ donor: labels[donor]!, model: labels[input]! })
  if (donorIsTied) {
    for (const input of ownHead) notes.add({ code: 'head-of-another-model', ...ofInput(input) })
    for (const input of different) notes.add({ code: 'head-differs', ...ofInput(input) })
  }
  if (tied)
    for (const input of options.heads.unknown)
      if (merged.has(input)) notes.add({ code: 'head-not-compared', ...ofInput(input) })

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
      if (rows === undefined) return cropToCommon(tensor, found, context)
      return planVocabularyRows(tensor, found, { rows, inputs, sourceOf: (input) => sourceOf(tensor, input) })
    },
  }
}
