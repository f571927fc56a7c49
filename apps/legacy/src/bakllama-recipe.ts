import { parseModelReference, sameModel } from '@mk/config'
import type { LayerSlice, LayerSlices } from './layer-slices.ts'

/**
 * Translates a file of `bakllama` to a merge configuration as plain data. A slice of no layers before the first or after the
 * last one donates what surrounds the layers, where that is to come from another model.
 * @throws ConfigError for a model reference that is none
 */
export function bakllamaRecipe(
  { slices, embeddingSource, headSource }: Omit<LayerSlices, 'warnings'>,
  { fp16 = false }: { readonly fp16?: boolean } = {},
): Record<string, unknown> {
  const first = slices[0]!.model
  const last = slices.at(-1)!.model
  return {
    merge_method: 'passthrough',
    slices: [
      ...(embeddingSource !== undefined && !isSame(embeddingSource, first) ? [withoutLayers(embeddingSource)] : []),
      ...slices.map(sliceOf),
      ...(headSource !== undefined && !isSame(headSource, last) ? [withoutLayers(headSource)] : []),
    ],
    ...(fp16 && { dtype: 'float16' }),
  }
}

const sliceOf = ({ model, start, end, scale }: LayerSlice) => ({
  sources: [
    {
      model,
      layer_range: [start, end],
      ...(scale !== undefined && { parameters: { scale: [{ filter: 'down_proj', value: scale }] } }),
    },
  ],
})

const withoutLayers = (model: string) => ({ sources: [{ model, layer_range: [0, 0] }] })

const isSame = (a: string, b: string): boolean => sameModel(parseModelReference(a), parseModelReference(b))
