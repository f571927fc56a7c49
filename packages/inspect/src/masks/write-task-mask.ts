import { existsSync } from 'node:fs'
import { dtypeBytes, elementCount, isSameShape, layoutFile, type TensorType } from '@mk/safetensors'
import { createSafetensorsWriter, type SafetensorsWriter } from '@mk/safetensors/node'
import type { TensorSource } from '@mk/source'
import { createSourceReader, type SourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import type { InspectionProgress } from '../diff/diff-models.ts'
import { pairTensors } from '../diff/pair-tensors.ts'
import type { PreparedDiff } from '../diff/prepare-diff.ts'
import { InspectError } from '../errors.ts'
import { addMasked, type MaskSums, noSums } from './mask-elements.ts'

/** A tensor of the merged model, and the same of the two others. */
interface MaskedTensor {
  readonly name: string
  readonly merged: TensorSource
  readonly model: TensorSource
  readonly base: TensorSource
}

/** What the mask of a task will be, known from headers. */
export interface TaskMaskPlan {
  readonly models: { readonly merged: string; readonly model: string; readonly base: string }
  readonly tensors: readonly MaskedTensor[]
  /** Of the file. */
  readonly byteCount: number
  /** Tensors of the model that the merged one lacks, which nothing of the mask is for. */
  readonly leftOut: readonly string[]
}

/** Where a mask is written, and who is told how far it is. */
export interface TaskMaskOptions {
  /** Write over a file that is there. */
  readonly overwrite?: boolean
  readonly onProgress?: (progress: InspectionProgress) => void
  readonly signal?: AbortSignal
}

/** What was found of a task. */
export interface TaskMask {
  readonly out: string
  /** What the merged model's change is multiplied with where the mask is 1. */
  readonly rescaler: number
  readonly elementCount: number
  /** Elements whose change has the sign of the merged model's. */
  readonly agreeing: number
  /** Elements that the model changes, and those that it changes the other way than the merged model, or alone. */
  readonly changed: number
  readonly writtenBytes: number
}

/** A multiple of 8, so that no byte of a mask has elements of two chunks. */
const CHUNK_ELEMENTS = 2 ** 18

/**
 * Checks that a mask can be made of the merged model (A), the model (B) and their base.
 * @throws InspectError 'mask-tensor' where one of them lacks a tensor of the merged model, or has it in another shape
 */
export function planTaskMask({ inputs, places }: PreparedDiff): TaskMaskPlan {
  const label = (index: number): string => inputs.labels[index]!
  const models = { merged: label(places.a), model: label(places.b), base: label(places.base!) }
  const tensors: MaskedTensor[] = []
  const leftOut: string[] = []
  for (const { name, a, b, base } of pairTensors(inputs, places)) {
    if (a === undefined) {
      leftOut.push(name)
      continue
    }
    const check = (model: string, source: TensorSource | undefined): TensorSource => {
      if (source !== undefined && isSameShape(source.shape, a.shape)) return source
      const { merged } = models
      throw new InspectError({ code: 'mask-tensor', tensor: name, model, merged, shape: a.shape, found: source?.shape })
    }
    tensors.push({ name, merged: a, model: check(models.model, b), base: check(models.base, base) })
  }
  return { models, tensors, byteCount: layoutFile(partsOf(tensors), metadataOf(models)).fileBytes, leftOut }
}

const metadataOf = (models: TaskMaskPlan['models']): Record<string, string> => ({ format: 'pt', ...models })

const partsOf = (tensors: readonly MaskedTensor[]): TensorType[] =>
  tensors.flatMap(({ name, merged: { shape } }): TensorType[] => [
    { name: `${name}.mask_bits`, dtype: 'U8', shape: [Math.ceil(elementCount(shape) / 8)] },
    { name: `${name}.mask_shape`, dtype: 'I64', shape: [shape.length] },
    { name: `${name}.mask_factor`, dtype: 'F32', shape: [1] },
  ])

/**
 * Writes what EMR-Merging (Huang et al. 2024, arXiv:2405.17461, algorithm 1) keeps of a task beside the merged model: a mask, whose bits
 * are 1 where the change of the model, δ, has the sign of that of the merged model, u, and the rescaler Σ|δ| / Σ|mask·u| over all tensors,
 * by which u is as large as δ. 1 where there is nothing to rescale. Reads each model once, in chunks.
 * @param out a file that ends in .safetensors; it has its name when it is complete
 * @throws InspectError 'mask-name', 'mask-exists', 'mask-not-finite'; SourceError where weights can't be read; the reason of `signal`
 */
export async function writeTaskMask(
  { models, tensors }: TaskMaskPlan,
  out: string,
  { overwrite = false, onProgress, signal }: TaskMaskOptions = {},
): Promise<TaskMask> {
  if (!out.endsWith('.safetensors')) throw new InspectError({ code: 'mask-name', file: out })
  if (!overwrite && existsSync(out)) throw new InspectError({ code: 'mask-exists', file: out })
  const bytesOf = ({ merged, model, base }: MaskedTensor): number =>
    [merged, model, base].reduce((sum, { dtype, shape }) => sum + elementCount(shape) * dtypeBytes(dtype), 0)
  const totalBytes = tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0)
  const reader = createSourceReader()
  const writer = await createSafetensorsWriter(out, partsOf(tensors), metadataOf(models))
  try {
    const total = noSums()
    let [doneBytes, doneTensors] = [0, 0]
    for (const tensor of tensors) {
      const sums = await writeBits(reader, writer, tensor, signal)
      if (!Number.isFinite(sums.ofModel) || !Number.isFinite(sums.ofMerged))
        throw new InspectError({ code: 'mask-not-finite', tensor: tensor.name, models: Object.values(models) })
      for (const key of ['ofModel', 'ofMerged', 'agreeing', 'changed'] as const) total[key] += sums[key]
      doneBytes += bytesOf(tensor)
      onProgress?.({ doneBytes, totalBytes, doneTensors: ++doneTensors, tensorCount: tensors.length })
    }
    const rescaler = Math.fround(total.ofMerged > 0 ? total.ofModel / total.ofMerged : 1)
    for (const { name } of tensors)
      await writer.write(`${name}.mask_factor`, 0, new Uint8Array(Float32Array.of(rescaler).buffer))
    await writer.finish()
    const { agreeing, changed } = total
    const count = tensors.reduce((sum, { merged }) => sum + elementCount(merged.shape), 0)
    return { out, rescaler, elementCount: count, agreeing, changed, writtenBytes: writer.fileBytes }
  } finally {
    await writer.close()
    reader.close()
  }
}

async function writeBits(
  reader: SourceReader,
  writer: SafetensorsWriter,
  { name, merged, model, base }: MaskedTensor,
  signal: AbortSignal | undefined,
): Promise<MaskSums> {
  const { shape } = merged
  await writer.write(`${name}.mask_shape`, 0, new Uint8Array(BigInt64Array.from(shape.map(BigInt)).buffer))
  const sums = noSums()
  const count = elementCount(shape)
  const buffers = [merged, model, base].map((source) => ({
    source,
    bytes: new Uint8Array(Math.min(count, CHUNK_ELEMENTS) * dtypeBytes(source.dtype)),
    values: new Float32Array(Math.min(count, CHUNK_ELEMENTS)),
  }))
  for (let start = 0; start < count; start += CHUNK_ELEMENTS) {
    signal?.throwIfAborted()
    const length = Math.min(CHUNK_ELEMENTS, count - start)
    const [u, x, w] = buffers.map(({ source, bytes, values }) => {
      const part = bytes.subarray(0, length * dtypeBytes(source.dtype))
      reader.read(source, start, length, part)
      decode(source.dtype, part, 0, values.subarray(0, length))
      return values.subarray(0, length)
    }) as [Float32Array, Float32Array, Float32Array]
    const bits = new Uint8Array(Math.ceil(length / 8))
    addMasked({ merged: u, model: x, base: w }, bits, sums)
    await writer.write(`${name}.mask_bits`, start / 8, bits)
  }
  return sums
}
