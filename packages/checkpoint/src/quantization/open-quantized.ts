import { quoted } from '@mk/errors'
import type { DequantizedSource, TensorSource } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import { forEachParallel } from '../for-each-parallel.ts'
import type { ModelConfig, Quantization } from './config-quantization.ts'
import { partsOf, type ReadSmall } from './parts.ts'
import { layoutsOf } from './schemes.ts'

/** Parts that are still at the hub take a request each. */
const parallelReads = 8

/** The tensors of a model, codes and their parts replaced by the weights that they stand for. */
export interface OpenedQuantized {
  readonly tensors: ReadonlyMap<string, TensorSource>
  readonly weightCount: number
}

/**
 * Opens the weights that are quantized in a layout of the model's method. What is no part of such weights stays as it is.
 * @throws CheckpointError `quantized-…`
 */
export async function openQuantized(
  folder: string,
  tensors: ReadonlyMap<string, TensorSource>,
  { quantization, config }: { readonly quantization: Quantization; readonly config: ModelConfig },
  readSmall: ReadSmall,
): Promise<OpenedQuantized> {
  const used = new Set<string>()
  /** By a part of theirs, the first that the file has. */
  const opened = new Map<string, readonly [string, DequantizedSource]>()
  const { method: scheme, settings } = quantization
  for (const layout of layoutsOf(quantization, config)) {
    const stems = new Map<string, string>()
    for (const [name, source] of tensors) {
      const stem = used.has(name) ? undefined : layout.stemOf(name, source)
      if (stem !== undefined && !stems.has(stem)) stems.set(stem, name)
    }
    await forEachParallel([...stems], parallelReads, async ([stem, first]) => {
      const weights = await layout.open(partsOf(stem, { folder, scheme, settings, tensors, readSmall, used }))
      used.add(first)
      const other = tensors.get(weights.name)
      if (other !== undefined && !used.has(weights.name)) {
        const { dtype, shape } = other
        const expected = `none of that name, since ${quoted(first)} belongs to the codes of the same weights`
        throw new CheckpointError({
          code: 'quantized-part',
          folder,
          scheme,
          tensor: weights.name,
          dtype,
          shape,
          expected,
        })
      }
      opened.set(first, [weights.name, weights.source])
    })
  }
  if (opened.size === 0) return { tensors, weightCount: 0 }
  const remaining = [...tensors].flatMap(([name, source]): (readonly [string, TensorSource])[] =>
    opened.has(name) ? [opened.get(name)!] : used.has(name) ? [] : [[name, source]],
  )
  return { tensors: new Map(remaining), weightCount: opened.size }
}
