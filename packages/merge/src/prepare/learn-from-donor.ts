import type { Checkpoint, GgufFacts } from '@mk/checkpoint'
import {
  ConversionError,
  type DonorTensor,
  isConstant,
  type LikeAnswer,
  listLikeQuestions,
  planLearnedTensors,
} from '@mk/gguf/convert'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { createReaderOver, type FileStore, mergedSources, type SourceReader, type TensorSource } from '@mk/source'
import { decode } from '@mk/tensor'
import { type MergePlan, operationInputs } from '../plan/merge-plan.ts'
import { MergeError } from '../errors.ts'
import { ggmlTypeOf } from './ggml-type-of.ts'

/** A GGUF that an output is to be like. */
export type LikeCheckpoint = Checkpoint & { readonly gguf: GgufFacts }

/** What becomes of a model's tensors, and which have no place in the file, and why. */
export interface LearnedTensors {
  readonly tensors: readonly DonorTensor[]
  readonly leftOut: ReadonlyMap<string, string>
}

/** Models that were trained from one another differ by hundredths, blocks of few bits by tenths; other rows by more than all. */
const mostDistance = 0.5
/** Elements that are compared where rows are in no question. */
const sampleElements = 2 ** 16

/**
 * Finds what becomes of the tensors of a family without a map: what the families with one make of tensors of those names, as far as it
 * makes of the first model's elements those of the donor.
 * @param modelConfig config.json of the output
 * @throws ConversionError 'gguf-unlike', 'gguf-unmapped-tensors', 'gguf-missing-tensors', 'gguf-config'; SourceError
 */
export function learnFromDonor(
  store: FileStore,
  plan: MergePlan,
  like: LikeCheckpoint,
  modelConfig: Readonly<Record<string, unknown>>,
): LearnedTensors {
  if (
    mergedSources(plan.tensors.flatMap(({ operation }) => operationInputs(operation).map(({ source }) => source)))
      .length > 0
  )
    throw new MergeError({ code: 'gguf-like-merge' })
  const shapesOf = (tensors: Iterable<readonly [string, { readonly shape: readonly number[] }]>) =>
    Array.from(tensors, ([name, { shape }]) => ({ name, shape }))
  const request = {
    config: modelConfig,
    tensors: shapesOf(plan.tensors.map((tensor) => [tensor.name, tensor])),
    donor: { metadata: like.gguf.metadata, tensors: shapesOf(like.tensors) },
  }
  const sources = new Map(plan.tensors.map(({ name, operation }) => [name, operationInputs(operation)[0]!.source]))
  const reader = createReaderOver(store.openFiles())
  try {
    const rules = new Map(
      listLikeQuestions(request).map(({ pattern, source, answers }) => {
        const distances = answers.map((answer) => distanceOf(reader, sources.get(source)!, like, answer))
        const least = Math.min(...distances)
        if (!(least < mostDistance))
          throw new ConversionError({ code: 'gguf-unlike', tensor: source, target: answers[0]!.target })
        return [pattern, answers[distances.indexOf(least)]!.rule]
      }),
    )
    const constants = [...like.tensors].filter(([name]) => isConstant(name))
    const { tensors, leftOut } = planLearnedTensors(request, rules)
    const learned = [
      ...constants.map(([name, source]): DonorTensor => {
        const values = [...readFloats(reader, source, elementCount(source.shape))]
        return { name, shape: source.shape, type: 'F32', content: { kind: 'values', values } }
      }),
      ...tensors.map(({ name, shape, content }): DonorTensor => {
        const known = like.tensors.get(name)
        return { name, shape: known?.shape ?? shape, type: known === undefined ? 'F16' : ggmlTypeOf(known), content }
      }),
    ]
    return { tensors: learned, leftOut }
  } finally {
    reader.close()
  }
}

/** How far the beginning of a tensor, moved and added to, is from that of the donor's; 0 where both are the same. */
function distanceOf(
  reader: SourceReader,
  source: TensorSource,
  like: LikeCheckpoint,
  { target, interleaveHeads, add = 0 }: LikeAnswer,
): number {
  const { shape } = source
  const columns = shape.length > 1 ? shape.at(-1)! : 1
  const rowCount = elementCount(shape) / columns
  const rows =
    interleaveHeads === undefined ? Math.min(rowCount, Math.ceil(sampleElements / columns)) : rowCount / interleaveHeads
  const ours = readFloats(reader, source, rows * columns)
  const theirs = readFloats(reader, like.tensors.get(target)!, rows * columns)
  let difference = 0
  let size = 0
  for (let row = 0; row < rows; row++) {
    const from = interleaveHeads === undefined ? row : (row % 2) * (rows / 2) + Math.floor(row / 2)
    for (let column = 0; column < columns; column++) {
      const wanted = theirs[row * columns + column]!
      difference += (ours[from * columns + column]! + add - wanted) ** 2
      size += wanted ** 2
    }
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size)
}

function readFloats(reader: SourceReader, source: TensorSource, count: number): Float32Array {
  const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
  reader.read(source, 0, count, bytes)
  const values = new Float32Array(count)
  decode(source.dtype, bytes, 0, values)
  return values
}
