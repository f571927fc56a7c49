import type { GatherSegment, TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from './merge-inputs.ts'
import type { Operation, PlannedTensorInput, RowWeights } from './merge-plan.ts'
import { resolveSetting } from './plan-parameters.ts'
import type { OutputTensor, TensorOrigin } from './plan-slices.ts'

/** The output vocabulary as far as rows are concerned; one entry of `segments` per input of the merge. */
export interface RowPlan {
  /**
   * 'complete-rows': each model has a whole matrix, and the merge method merges them. 'average-rows': a row is the average
   * over the models that have its token.
   */
  readonly kind: 'complete-rows' | 'average-rows'
  readonly rowCount: number
  readonly segments: readonly (readonly GatherSegment[])[]
  /** Rows of each input's embedding: what segments count on. */
  readonly embeddingRows: readonly number[]
}

/**
 * A tensor with a row per token on the output vocabulary.
 * @param sourceOf the corresponding tensor of any input, also of one that is not merged
 * @throws MergeError 'vocabulary-rows', 'missing-tensor', 'shape-mismatch', 'model-count'
 */
export function planRows(
  tensor: OutputTensor,
  found: readonly PlannedTensorInput[],
  rows: RowPlan,
  inputs: MergeInputs,
  sourceOf: (input: number) => TensorSource | undefined,
): readonly PlannedTensorInput[] | Operation {
  const own = (input: number) => found.find((entry) => entry.input === input)?.source ?? sourceOf(input)
  const gathered = found.map((entry) => ({ ...entry, source: gather(tensor, entry, own, rows, inputs) }))
  return rows.kind === 'complete-rows' ? gathered : averageRows(tensor, gathered, rows, inputs)
}

/** One input's matrix on the output vocabulary. Segments name inputs of the merge; a source names places in its own list. */
function gather(
  tensor: OutputTensor,
  entry: PlannedTensorInput,
  sourceOf: (input: number) => TensorSource | undefined,
  rows: RowPlan,
  inputs: MergeInputs,
): TensorSource {
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
  checkRows(tensor, entry.source, rows.embeddingRows[entry.input]!, inputs.labels[entry.input]!)
  const width = entry.source.shape.slice(1)
  const sources = used.map((input) => {
    const source = sourceOf(input)
    if (source === undefined) {
      throw new MergeError({
        code: 'missing-tensor',
        missing: [{ model: inputs.labels[input]!, other: inputs.labels[entry.input]!, tensors: [entry.name] }],
      })
    }
    checkRows(tensor, source, rows.embeddingRows[input]!, inputs.labels[input]!)
    if (source.shape.slice(1).join() === width.join()) return source
    const both = [
      { input: entry.input, shape: entry.source.shape },
      { input, shape: source.shape },
    ]
    throw new MergeError({
      code: 'shape-mismatch',
      tensors: both.map(({ input: at, shape }) => ({ model: inputs.labels[at]!, name: entry.name, shape })),
    })
  })
  return { kind: 'gather', dtype: entry.source.dtype, shape: [rows.rowCount, ...width], sources, segments }
}

function checkRows(
  { name, vocabularyAxis = 0 }: OutputTensor,
  { shape }: TensorSource,
  rowCount: number,
  model: string,
): void {
  if (vocabularyAxis !== 0 || shape[0] !== rowCount)
    throw new MergeError({ code: 'vocabulary-rows', model, name, shape, rowCount })
}

/** `tokenizer_source`: each token's row is merged over the models that have it, whatever the method. */
function averageRows(
  tensor: OutputTensor,
  gathered: readonly PlannedTensorInput[],
  rows: RowPlan,
  inputs: MergeInputs,
): Operation {
  const origins = tensor.base === undefined ? tensor.models : [tensor.base, ...tensor.models]
  const weights = gathered.map(({ input }, index) => {
    return rowWeights(rows.segments[input]!, numberOf('weight', 1, tensor, origins[index], inputs))
  })
  const slerp = resolveSetting('embed_slerp', tensor, undefined)
  if (slerp === undefined || !slerp.value) return { kind: 'rows', inputs: gathered, weights }
  if (gathered.length !== 2) {
    const where = inputs.locate(slerp.path)
    throw new MergeError({
      code: 'model-count',
      method: 'embed_slerp',
      expected: 'exactly two models',
      found: gathered.length,
      where,
    })
  }
  return { kind: 'slerp-rows', inputs: gathered, weights, t: numberOf('t', 0.5, tensor, undefined, inputs) }
}

function numberOf(
  name: string,
  absent: number,
  tensor: OutputTensor,
  origin: TensorOrigin | undefined,
  inputs: MergeInputs,
): number {
  const found = resolveSetting(name, tensor, origin)
  if (found === undefined) return absent
  if (typeof found.value === 'number' && Number.isFinite(found.value)) return found.value
  throw new MergeError({
    code: 'invalid-parameter',
    parameter: name,
    value: found.value,
    expected: 'a number',
    where: inputs.locate(found.path),
  })
}

const rowWeights = (segments: readonly GatherSegment[], weight: number): RowWeights =>
  segments.map(({ kind, rowCount }) => ({ rowCount, weight: kind === 'zero' ? 0 : weight }))
