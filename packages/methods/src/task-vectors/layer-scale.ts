import * as z from 'zod/mini'
import type { MethodContext } from '../declare/define-method.ts'
import { moderate } from '../declare/parameter-schemas.ts'

/** The parameters of LiNeS, which every method takes that adds task vectors to a base. */
export const layerScaleParameters = {
  lines_alpha: z
    ._default(z.number(), 1)
    .check(
      z.describe('LiNeS: factor on what is added to the first layer, and to what is in no layer.'),
      z.meta(moderate),
    ),
  lines_beta: z
    ._default(z.number(), 0)
    .check(z.describe('LiNeS: by how much that factor has grown at the last layer.'), z.meta(moderate)),
}

/** Values of `layerScaleParameters`. */
export interface LayerScale {
  readonly lines_alpha: number
  readonly lines_beta: number
}

/** Tells whether layers are scaled differently. */
export const scalesByLayer = ({ lines_beta }: Readonly<Record<string, unknown>>): boolean => lines_beta !== 0

/**
 * Computes the factor of a tensor: α + β·l/(L − 1) in layer l of L, α in no layer. Of a single layer it is α + β, as gradients have their
 * last value there.
 * [LiNeS (Wang et al. 2024)](https://arxiv.org/abs/2410.17146)
 */
export const layerScale = (
  { lines_alpha, lines_beta }: LayerScale,
  { layerDepth = 0 }: Pick<MethodContext, 'layerDepth'>,
): number => lines_alpha + lines_beta * layerDepth
