import { embeddingNames, headNames } from '@mk/architecture'
import { cropSource, gatherSource } from '@mk/source'
import type { OutputTensor } from './list-output-tensors.ts'
import type { PlannedTensorInput } from './merge-plan.ts'
import type { PlanContext } from './plan-context.ts'
import type { UnplacedTensor } from './plan-files.ts'
import { mainEmbedding, mainHead } from './plan-head.ts'

/**
 * Gives text models the rows that only the model around the donor's language part has, such as that of the token which stands for
 * an image: cut, its config.json would speak of rows that aren't there.
 */
export function completeRows(
  { name, vocabularyAxis }: OutputTensor,
  found: readonly PlannedTensorInput[],
  { inputs, notes, textParts }: PlanContext,
): readonly PlannedTensorInput[] {
  const own = found.find(({ input }) => input === inputs.donor)
  const isWhole = inputs.layouts[inputs.donor]!.modules.filter(({ layerCount }) => layerCount > 0).length > 1
  if (own === undefined || !isWhole || vocabularyAxis !== 0) return found
  const [rowCount = 0, ...width] = own.source.shape
  return found.map((entry) => {
    const { dtype, shape } = entry.source
    const [ownRows = 0] = shape
    if (!textParts.has(entry.input) || ownRows >= rowCount || shape.slice(1).join() !== width.join()) return entry
    const [model, donor] = [entry.input, own.input].map((input) => inputs.labels[input]!) as [string, string]
    notes.add({ code: 'rows-completed', name, model, donor, rows: [ownRows, rowCount - 1] })
    const segments = [
      { kind: 'copy', source: 0, row: 0, rowCount: ownRows },
      { kind: 'copy', source: 1, row: ownRows, rowCount: rowCount - ownRows },
    ] as const
    const sources = [entry.source, own.source]
    return {
      ...entry,
      source: gatherSource({ dtype, shape: own.source.shape, segments, sourceOf: (at) => sources[at]! }),
    }
  })
}

/** Cuts matrices to the largest leading sub-matrix that all of them have. */
export function cropToCommon(
  { name, vocabularyAxis }: OutputTensor,
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
      const named = Object.entries(operation.tensors ?? {}).map(([parameter, each]) => [
        parameter,
        // Matrices of columns have no rows of tokens.
        each.map((one) => (one.source.shape[0] === tensor.shape[0] ? crop(one, shape) : one)),
      ])
      const tensors = operation.tensors && { tensors: Object.fromEntries(named) }
      return { ...tensor, shape, operation: { ...operation, models, ...base, ...tensors } }
    }
    case 'rows':
    case 'slerp-rows':
    case 'factors':
    case 'other-factor':
      return tensor
    default:
      return operation satisfies never
  }
}
