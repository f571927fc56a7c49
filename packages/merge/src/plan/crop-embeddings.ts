import { embeddingNames, headNames } from '@mk/architecture'
import { cropSource } from '@mk/source'
import type { OutputTensor } from './list-output-tensors.ts'
import type { PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'
import { mainEmbedding, mainHead } from './plan-head.ts'

/** Cuts matrices to the largest leading sub-matrix that all of them have. */
export function cropToCommon(
  { name, vocabularyAxis = 0 }: OutputTensor,
  found: readonly PlannedTensorInput[],
  { inputs, notes, options }: PlanContext,
): readonly PlannedTensorInput[] {
  const rank = found[0]!.source.shape.length
  if (found.some(({ source }) => source.shape.length !== rank)) return found
  const common = found[0]!.source.shape.map((_, axis) => Math.min(...found.map(({ source }) => source.shape[axis]!)))
  const isTold = (shape: readonly number[]) =>
    options.vocabulary.namesCutTokens && shape.every((size, axis) => size === common[axis] || axis === vocabularyAxis)
  for (const { input, source } of found) {
    if (source.shape.join() !== common.join() && !isTold(source.shape))
      notes.add({ code: 'cut-to-common', name, model: inputs.labels[input]!, shape: source.shape, common })
  }
  return found.map((entry) => crop(entry, common))
}

/**
 * Cuts embedding and head to the rows that both have, where the donor has equally many but what was planned has not: with
 * slices they may come from different models.
 */
export function cropToEachOther(
  context: PlanContext,
  outputs: readonly OutputTensor[],
  tensors: readonly UnplacedTensor[],
): readonly UnplacedTensor[] {
  const { layouts, donor, checkpoints } = context.inputs
  const [ownEmbedding, ownHead] = [embeddingNames, headNames].map(
    (namesIn) => checkpoints[donor]!.tensors.get(namesIn(layouts[donor]!)[0] ?? '')?.shape[0],
  )
  const names = [mainEmbedding(context, outputs)?.name, mainHead(context, outputs)?.name]
  const [embedding, head] = names.map((name) => tensors.find((tensor) => tensor.name === name))
  if (embedding === undefined || head === undefined || embedding.shape[0] === head.shape[0]) return tensors
  if (ownHead !== undefined && ownEmbedding !== ownHead) return tensors
  const rowCount = Math.min(embedding.shape[0]!, head.shape[0]!)
  const biases = layouts[donor]!.modules.flatMap((module) =>
    module.tensors.filter(({ role, vocabularyAxis }) => role === 'head-bias' && vocabularyAxis === 0),
  )
  const cut = new Set([...names, ...biases.map(({ name }) => name)])
  if (!context.options.vocabulary.namesCutTokens)
    context.notes.add({ code: 'cut-to-each-other', embedding: embedding.name, head: head.name, rowCount })
  return tensors.map((tensor) =>
    cut.has(tensor.name) && tensor.shape[0]! > rowCount ? cropRows(tensor, rowCount) : tensor,
  )
}

const crop = (entry: PlannedTensorInput, shape: readonly number[]): PlannedTensorInput => ({
  ...entry,
  source: cropSource(entry.source, shape),
})

function cropRows(tensor: UnplacedTensor, rowCount: number): UnplacedTensor {
  const shape = [rowCount, ...tensor.shape.slice(1)]
  const { operation } = tensor
  switch (operation.kind) {
    case 'copy':
      return { ...tensor, shape, operation: { ...operation, input: crop(operation.input, shape) } }
    case 'merge': {
      const models = operation.models.map((model) => crop(model, shape))
      const base = operation.base && { base: crop(operation.base, shape) }
      return { ...tensor, shape, operation: { ...operation, models, ...base } }
    }
    case 'rows':
    case 'slerp-rows':
      return tensor
    default:
      return operation satisfies never
  }
}
