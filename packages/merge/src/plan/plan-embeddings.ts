import { embeddingNames, headNames, isTied } from '@mk/architecture'
import { cropSource, type TensorSource } from '@mk/source'
import type { MergeInputs } from './merge-inputs.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'
import { planRows, type RowPlan } from './plan-rows.ts'
import type { OutputTensor } from './plan-slices.ts'

/** How embeddings and output heads deviate from other tensors: tied weights, and the vocabulary of the output. */
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

/** What the values of stored heads tell where the donor ties its head to the embedding; positions of inputs. */
export interface StoredHeads {
  /** Those that carry a head that differs from their embedding. */
  readonly different: ReadonlySet<number>
  /** Those whose weights must be downloaded first. */
  readonly unknown: ReadonlySet<number>
}

export interface EmbeddingOptions {
  readonly inputs: MergeInputs
  /** Positions of the inputs that are merged, as opposed to those that only donate something. */
  readonly merged: ReadonlySet<number>
  readonly rows: RowPlan | undefined
  readonly heads: StoredHeads
  /** Models that the config takes for the sake of their head, which in a tied model is its embedding. */
  readonly ownHead: readonly number[]
  readonly note: (text: string) => void
}

const rowRoles: readonly OutputTensor['role'][] = ['embedding', 'head', 'head-bias']

export function planEmbeddings({ inputs, merged, rows, heads, ownHead, note }: EmbeddingOptions): EmbeddingPlan {
  const { labels, checkpoints, layouts, donor } = inputs
  const hasEmbedding = embeddingNames(layouts[donor]!).length > 0
  const different = [...heads.different].filter((input) => merged.has(input))
  const saysTied = isTied(checkpoints[donor]!.config, layouts[donor])
  const tied = saysTied && hasEmbedding && different.length === 0 && ownHead.length === 0
  const donorTies = `${labels[donor]!} ties its head to its embedding`
  if (saysTied)
    for (const input of ownHead)
      note(`${donorTies}, but the head is to come from ${labels[input]!}; the output is not tied`)
  if (saysTied)
    for (const input of different)
      note(`${donorTies}, but the head of ${labels[input]!} is another matrix; the output is not tied`)
  for (const input of [...heads.unknown].filter((input) => tied && merged.has(input))) {
    note(
      `${donorTies}; whether the head that ${labels[input]!} carries is the same is known when it is downloaded, until then it is taken to be`,
    )
  }
  const substituteFor = (tensor: OutputTensor, input: number) => {
    if (tensor.role !== 'head' || !isTied(checkpoints[input]!.config, layouts[input])) return undefined
    return embeddingNames(layouts[input]!)[0]
  }
  return {
    tied,
    leavesOut: ({ role }) => tied && role === 'head',
    substituteFor,
    prepare(tensor, found) {
      if (!rowRoles.includes(tensor.role)) return found
      if (rows !== undefined)
        return planRows(tensor, found, rows, inputs, (input) => tensorOf(tensor, input, inputs, substituteFor))
      return cropToCommon(tensor, found, inputs, note)
    },
  }
}

function tensorOf(
  tensor: OutputTensor,
  input: number,
  { checkpoints }: MergeInputs,
  substituteFor: EmbeddingPlan['substituteFor'],
): TensorSource | undefined {
  const { tensors } = checkpoints[input]!
  return tensors.get(tensor.name) ?? tensors.get(substituteFor(tensor, input) ?? '')
}

/** Cuts matrices to the largest leading sub-matrix that all of them have. */
function cropToCommon(
  { name }: OutputTensor,
  found: readonly PlannedTensorInput[],
  { labels }: MergeInputs,
  note: (text: string) => void,
): readonly PlannedTensorInput[] {
  const rank = found[0]!.source.shape.length
  if (found.some(({ source }) => source.shape.length !== rank)) return found
  const shape = found[0]!.source.shape.map((_, axis) => Math.min(...found.map(({ source }) => source.shape[axis]!)))
  for (const { input, source } of found) {
    if (source.shape.join() !== shape.join())
      note(
        `${name} of ${labels[input]!} is cut from [${source.shape.join(', ')}] to [${shape.join(', ')}], which all models have`,
      )
  }
  return found.map((entry) => ({ ...entry, source: cropSource(entry.source, shape) }))
}

/** The part of a planned tensor that fits an output whose embedding and head come from models of different vocabularies. */
export interface RowTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly operation: Operation
}

/**
 * Cuts embedding and head to the rows that both have, where the donor has equally many but what was planned has not: with
 * slices they may come from different models.
 */
export function cropToEachOther<T extends RowTensor>(
  tensors: readonly T[],
  { layouts, donor, checkpoints }: MergeInputs,
  note: (text: string) => void,
): readonly T[] {
  const names = [embeddingNames(layouts[donor]!)[0], headNames(layouts[donor]!)[0]]
  const [ownEmbedding, ownHead] = names.map((name) => checkpoints[donor]!.tensors.get(name ?? '')?.shape[0])
  const [embedding, head] = names.map((name) => tensors.find((tensor) => tensor.name === name))
  if (embedding === undefined || head === undefined || ownEmbedding !== ownHead || embedding.shape[0] === head.shape[0])
    return tensors
  const rowCount = Math.min(embedding.shape[0]!, head.shape[0]!)
  const biases = layouts[donor]!.modules.flatMap((module) =>
    module.tensors.filter(({ role, vocabularyAxis }) => role === 'head-bias' && vocabularyAxis === 0),
  )
  const cut = new Set([...names, ...biases.map(({ name }) => name)])
  note(
    `${embedding.name} and ${head.name} come from models of different vocabularies; both are cut to ${rowCount} rows`,
  )
  return tensors.map((tensor) =>
    cut.has(tensor.name) && tensor.shape[0]! > rowCount ? cropped(tensor, rowCount) : tensor,
  )
}

function cropped<T extends RowTensor>(tensor: T, rowCount: number): T {
  const shape = [rowCount, ...tensor.shape.slice(1)]
  const cut = (entry: PlannedTensorInput): PlannedTensorInput => ({ ...entry, source: cropSource(entry.source, shape) })
  const { operation } = tensor
  switch (operation.kind) {
    case 'copy':
      return { ...tensor, shape, operation: { ...operation, input: cut(operation.input) } }
    case 'merge':
      return {
        ...tensor,
        shape,
        operation: {
          ...operation,
          models: operation.models.map(cut),
          ...(operation.base && { base: cut(operation.base) }),
        },
      }
    case 'rows':
    case 'slerp-rows':
      return tensor
    default:
      return operation satisfies never
  }
}
