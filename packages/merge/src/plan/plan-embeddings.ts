import { embeddingNames, isTied } from '@mk/architecture'
import type { GatherSegment, TensorSource } from '@mk/checkpoint'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { Operation, PlannedTensorInput, RowWeights } from './merge-plan.ts'
import { resolveSetting } from './plan-parameters.ts'
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

/** The output vocabulary as far as rows are concerned; one entry per input of the merge. */
export type RowPlan =
  | { readonly kind: 'complete'; readonly rowCount: number; readonly segments: readonly (readonly GatherSegment[])[] }
  | { readonly kind: 'early'; readonly rowCount: number; readonly segments: readonly (readonly GatherSegment[])[] }

export interface EmbeddingOptions {
  readonly inputs: MergeInputs
  readonly rows: RowPlan | undefined
  /** For each input that says it ties but carries a head: whether that head differs from its embedding. */
  readonly differentHeads: ReadonlySet<number>
  readonly note: (text: string) => void
}

export function planEmbeddings({ inputs, rows, differentHeads, note }: EmbeddingOptions): EmbeddingPlan {
  const tied = isTied(inputs.checkpoints[inputs.donor]!.config, inputs.layouts[inputs.donor]) && differentHeads.size === 0
  for (const input of differentHeads) {
    note(`${inputs.labels[input]!} says that its head is tied to its embedding but carries another one; the output is not tied`)
  }
  const isRows = ({ role }: OutputTensor) => role === 'embedding' || role === 'head' || role === 'head-bias'
  return {
    tied,
    leavesOut: ({ role }) => tied && role === 'head',
    substituteFor(tensor, input) {
      if (tensor.role !== 'head' || !isTied(inputs.checkpoints[input]!.config, inputs.layouts[input])) return undefined
      return embeddingNames(inputs.layouts[input]!)[0]
    },
    prepare(tensor, found) {
      if (!isRows(tensor)) return found
      if (rows === undefined) return cropToCommon(found)
      const sourceOf = (input: number) =>
        found.find((entry) => entry.input === input)?.source ?? inputs.checkpoints[input]!.tensors.get(tensor.name) ?? inputs.checkpoints[input]!.tensors.get(this.substituteFor(tensor, input) ?? '')
      const gathered = found.map((entry) => ({ ...entry, source: gather(entry, sourceOf, rows, inputs) }))
      return rows.kind === 'complete' ? gathered : earlyRows(tensor, gathered, rows, inputs)
    },
  }
}

/** Cuts matrices to the largest leading sub-matrix that all of them have. */
function cropToCommon(inputs: readonly PlannedTensorInput[]): readonly PlannedTensorInput[] {
  const rank = inputs[0]!.source.shape.length
  if (inputs.some(({ source }) => source.shape.length !== rank)) return inputs
  const shape = inputs[0]!.source.shape.map((_, axis) => Math.min(...inputs.map(({ source }) => source.shape[axis]!)))
  return inputs.map((entry) => ({ ...entry, source: crop(entry.source, shape) }))
}

function crop(source: TensorSource, shape: readonly number[]): TensorSource {
  return source.shape.every((size, axis) => size === shape[axis]) ? source : { kind: 'crop', dtype: source.dtype, shape, source }
}

/** One input's matrix on the output vocabulary. Segments name inputs of the merge; a source names places in its own list. */
function gather(entry: PlannedTensorInput, sourceOf: (input: number) => TensorSource | undefined, rows: RowPlan, inputs: MergeInputs): TensorSource {
  const used: number[] = []
  const placeOf = (input: number) => {
    const place = used.indexOf(input)
    return place < 0 ? used.push(input) - 1 : place
  }
  const segments = rows.segments[entry.input]!.map((segment): GatherSegment => {
    switch (segment.kind) {
      case 'copy':
        return { ...segment, source: placeOf(segment.source) }
      case 'mean':
        return { ...segment, of: segment.of.map((row) => ({ ...row, source: placeOf(row.source) })) }
      case 'mean-of-others':
      case 'zero':
        return segment
      default:
        return segment satisfies never
    }
  })
  const width = entry.source.shape.slice(1)
  const sources = used.map((input) => {
    const source = sourceOf(input)
    if (source === undefined) throw new MergeError({ code: 'missing-tensor', tensors: [entry.name], model: inputs.labels[input]!, other: inputs.labels[entry.input]! })
    if (source.shape.slice(1).join() === width.join()) return source
    const both = [{ input: entry.input, shape: entry.source.shape }, { input, shape: source.shape }]
    throw new MergeError({ code: 'shape-mismatch', tensors: both.map(({ input: at, shape }) => ({ model: inputs.labels[at]!, name: entry.name, shape })) })
  })
  return { kind: 'gather', dtype: entry.source.dtype, shape: [rows.rowCount, ...width], sources, segments }
}

/** `tokenizer_source`: each token's row is merged over the models that have it, whatever the method. */
function earlyRows(tensor: OutputTensor, gathered: readonly PlannedTensorInput[], rows: RowPlan, inputs: MergeInputs): Operation {
  const origins = tensor.base === undefined ? tensor.models : [tensor.base, ...tensor.models]
  const weights = gathered.map(({ input }, index) => {
    const weight = resolveSetting('weight', tensor, origins[index])?.value ?? 1
    return rowWeights(rows.segments[input]!, Number(weight))
  })
  const slerp = resolveSetting('embed_slerp', tensor, undefined)
  if (slerp === undefined || !slerp.value) return { kind: 'rows', inputs: gathered, weights }
  if (gathered.length !== 2) {
    const where = inputs.locate(slerp.path)
    throw new MergeError({ code: 'model-count', method: 'embed_slerp', expected: 'exactly two models', found: gathered.length, where })
  }
  const t = resolveSetting('t', tensor, undefined)
  return { kind: 'slerp-rows', inputs: gathered, weights, t: Number(t?.value ?? 0.5) }
}

const rowWeights = (segments: readonly GatherSegment[], weight: number): RowWeights =>
  segments.map(({ kind, rowCount }) => ({ rowCount, weight: kind === 'zero' ? 0 : weight }))
