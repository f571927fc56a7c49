import { checkInputs, isWeightRule } from '@mk/methods'
import { type GatherSegment, gatherSource, type TensorSource } from '@mk/source'
import { MergeError } from '../errors.ts'
import type { MergeInputs } from '../open/merge-inputs.ts'
import type { VocabularyRows } from '../open/output-vocabulary.ts'
import { originsOf, type OutputTensor } from './list-output-tensors.ts'
import type { Operation, PlannedTensorInput, RowWeights } from './merge-plan.ts'
import { embeddingSettings, findSetting, resolveParameters } from './plan-parameters.ts'

export interface RowContext {
  readonly rows: VocabularyRows
  readonly inputs: Pick<MergeInputs, 'labels' | 'locate'>
  /** Finds the corresponding tensor of any input, also of one that is not merged. */
  readonly sourceOf: (input: number) => TensorSource | undefined
}

/**
 * Puts a tensor with a row per token on the output vocabulary.
 * @param found one for each input of the tensor
 * @throws MergeError 'vocabulary-rows', 'missing-tensor', 'shape-mismatch'; MethodError 'model-count', 'invalid-parameter'
 */
export function planVocabularyRows(
  tensor: OutputTensor,
  found: readonly PlannedTensorInput[],
  context: RowContext,
): readonly PlannedTensorInput[] | Operation {
  const sourceOf = (input: number) => found.find((entry) => entry.input === input)?.source ?? context.sourceOf(input)
  const gathered = found.map((entry) => ({ ...entry, source: gather(tensor, entry, { ...context, sourceOf }) }))
  return context.rows.kind === 'complete-rows' ? gathered : averageRows(tensor, gathered, context)
}

/** Gathers one input's matrix on the output vocabulary. */
function gather(tensor: OutputTensor, entry: PlannedTensorInput, context: RowContext): TensorSource {
  const { rows } = context
  checkRows(tensor, entry.source, entry.input, context)
  return gatherSource({
    dtype: entry.source.dtype,
    shape: [rows.rowCount, ...entry.source.shape.slice(1)],
    segments: rows.segments[entry.input]!,
    sourceOf: (input) => checkedSource(tensor, entry, input, context),
  })
}

/** Finds the tensor of an input that gives rows to another one's. */
function checkedSource(
  tensor: OutputTensor,
  { input: to, name, source: target }: PlannedTensorInput,
  from: number,
  context: RowContext,
): TensorSource {
  const { labels } = context.inputs
  const source = context.sourceOf(from)
  if (source === undefined) {
    const missing = [{ model: labels[from]!, other: labels[to]!, tensors: [name] }]
    throw new MergeError({ code: 'missing-tensor', missing, hasWayOut: false })
  }
  checkRows(tensor, source, from, context)
  if (source.shape.slice(1).join() === target.shape.slice(1).join()) return source
  throw new MergeError({
    code: 'shape-mismatch',
    tensors: [
      { model: labels[to]!, name, shape: target.shape },
      { model: labels[from]!, name, shape: source.shape },
    ],
  })
}

function checkRows(
  { name, vocabularyAxis }: OutputTensor,
  { shape }: TensorSource,
  input: number,
  { rows, inputs }: RowContext,
): void {
  const rowCount = rows.embeddingRows[input]!
  if (vocabularyAxis !== 0 || shape[0] !== rowCount)
    throw new MergeError({ code: 'vocabulary-rows', model: inputs.labels[input]!, name, shape, rowCount })
}

/** `tokenizer_source`: each token's row is averaged over the models that have it, whatever the method. */
function averageRows(
  tensor: OutputTensor,
  gathered: readonly PlannedTensorInput[],
  { rows, inputs }: RowContext,
): Operation {
  const settings = resolveParameters(embeddingSettings, tensor, originsOf(tensor), inputs)
  // Of rows that a model may lack no norm tells anything.
  const weight = (settings['weight'] as readonly (number | string)[]).map((value) =>
    isWeightRule(value) ? 1 : Number(value),
  )
  const weights = gathered.map(({ input }, index) => rowWeights(rows.segments[input]!, weight[index]!))
  if (!settings['embed_slerp']) return { kind: 'rows', inputs: gathered, weights }
  const where = inputs.locate(findSetting('embed_slerp', tensor, undefined)!.path)
  checkInputs(embedSlerp, { hasBase: false, modelCount: gathered.length }, where)
  return { kind: 'slerp-rows', inputs: gathered, weights, t: settings['t'] as number }
}

const embedSlerp = { name: 'embed_slerp', base: 'none', models: { min: 2, max: 2 } } as const

const rowWeights = (segments: readonly GatherSegment[], weight: number): RowWeights =>
  segments.map(({ kind, rowCount }) => ({ rowCount, weight: kind === 'zero' ? 0 : weight }))
