import { weightsDtype } from '@mk/architecture'
import type { Checkpoint } from '@mk/checkpoint'
import { type RestoredTensor, restoreModel } from '@mk/gguf/convert'
import { matrixSource, type TensorSource } from '@mk/source'

/**
 * Gives GGUFs the names of transformers where they are to be merged with models that have them: rows and experts lie again as there. GGUFs
 * alone keep their own names, for which no map is needed.
 * @throws ConversionError `gguf-no-way-back`, `gguf-unrestored-tensors`, …
 */
export function restoreGgufs(checkpoints: readonly Checkpoint[]): readonly Checkpoint[] {
  const like = checkpoints.find(({ config }) => config !== undefined)?.config
  return like === undefined
    ? checkpoints
    : checkpoints.map((checkpoint) => (checkpoint.gguf === undefined ? checkpoint : restore(checkpoint, like)))
}

function restore(checkpoint: Checkpoint, like: NonNullable<Checkpoint['config']>): Checkpoint {
  const { gguf, tensors, notes, reference } = checkpoint
  const shapes = [...tensors].map(([name, { shape }]) => ({ name, shape }))
  const restored = restoreModel({ metadata: gguf!.metadata, tensors: shapes }, like)
  const dtype = dtypeOf(tensors.values()) ?? weightsDtype(like)
  const note = `${reference.path}: its tensors have the names of transformers here, as the models that it is merged with`
  return {
    ...checkpoint,
    config: { ...restored.config, ...(dtype !== undefined && { torch_dtype: dtype }) },
    tensors: new Map(restored.tensors.map((tensor) => [tensor.name, sourceOf(tensor, tensors.get(tensor.source)!)])),
    notes: [...notes, note],
  }
}

function sourceOf({ shape, matrix, interleavedHeads: heads, add }: RestoredTensor, stored: TensorSource): TensorSource {
  if (matrix !== undefined) return matrixSource(stored, { index: matrix, rowStart: 0, rowCount: shape[0]! })!
  if (heads !== undefined) return { kind: 'halves', dtype: stored.dtype, shape, source: stored, heads }
  if (add === undefined) return stored
  const block = { blockRows: 1, blockColumns: shape.at(-1)! }
  return { kind: 'dequantized', dtype: 'F32', shape, source: stored, scale: 1, bias: add, ...block }
}

const dtypeNames = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const

/** The dtype that matrices have which are not quantized; quantized ones tell nothing. */
function dtypeOf(sources: Iterable<TensorSource>): string | undefined {
  for (const { kind, dtype, shape } of sources)
    if (kind === 'file' && shape.length > 1 && (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16'))
      return dtypeNames[dtype]
  return undefined
}
