import { abs, add, and, type Expression, lt, type Mask, mul, not, rank } from '@mk/tensor'
import * as z from 'zod/mini'
import type { MethodContext, ParameterSchemas } from '../declare/define-method.ts'
import { share } from '../declare/parameter-schemas.ts'
import { MethodError } from '../errors.ts'

/** The parameters of all sparsifiers, per model. */
export interface SparsifierParameters {
  readonly density: readonly number[]
  readonly gamma?: readonly number[]
  readonly epsilon?: readonly number[]
  readonly q?: readonly number[]
}

/** The choice of the elements of each task vector that stay. */
export interface Sparsifier {
  readonly parameters: ParameterSchemas
  readonly isRandom?: true
  /** Gives a mask for each task vector; none where all of it stays, which is so for every density of 1 or more. */
  keep(
    deltas: readonly Expression[],
    parameters: SparsifierParameters,
    context: MethodContext,
  ): Promise<(Mask | undefined)[]>
}

const density = z
  ._default(z.number().check(z.minimum(0)), 1)
  .check(z.describe('Share of the changes that is kept: 1 all, 0 none.'), z.meta(share))

/** Keeps the int(density·n) largest |δ|. */
export const byMagnitude: Sparsifier = {
  parameters: { density },
  async keep(deltas, { density }, context) {
    const requests = deltas.flatMap((delta, i) => {
      if (density[i]! >= 1) return []
      const k = keptCount(density[i]!, i, context)
      return [[String(i), { value: abs(delta), k }] as const]
    })
    const masks = await context.largest(Object.fromEntries(requests))
    return deltas.map((_, i) => masks[String(i)])
  },
}

/** Drops int(gamma·n) of the largest |δ|, then as many of the smallest as leave int(density·n). */
export const betweenMagnitudes: Sparsifier = {
  parameters: {
    density,
    gamma: z
      ._default(z.number().check(z.minimum(0)), 0.01)
      .check(z.describe('Share of the changes that is dropped as outliers, largest first.'), z.meta(share)),
  },
  async keep(deltas, { density, gamma }, context) {
    const n = context.elementCount
    const requests = deltas.flatMap((delta, i) => {
      if (density[i]! >= 1) return []
      const kept = keptCount(density[i]!, i, context)
      const outliers = Math.min(Math.trunc(gamma![i]! * n), n - kept)
      const value = abs(delta)
      return [[`${i} outliers`, { value, k: outliers }] as const, [`${i} all`, { value, k: outliers + kept }] as const]
    })
    const masks = await context.largest(Object.fromEntries(requests))
    return deltas.map((_, i) => {
      const all = masks[`${i} all`]
      return all && and(all, not(masks[`${i} outliers`]!))
    })
  },
}

/** Keeps each element with probability density. */
export const atRandom: Sparsifier = {
  parameters: {
    density,
    q: z
      ._default(z.number().check(z.minimum(0)), 0)
      .check(
        z.describe(
          'DAREx-q: what is kept is divided by this, in the place of `rescale`; the density gives DARE as published, 0 leaves it to `rescale`.',
        ),
        z.meta(share),
      ),
  },
  isRandom: true,
  async keep(deltas, { density }, context) {
    return deltas.map((_, i) => {
      if (density[i]! >= 1) return undefined
      if (density[i] === 0) keptCount(0, i, context)
      return lt(context.uniform(i), density[i]!)
    })
  },
}

/**
 * Keeps each element with probability density − ε + 2ε·r, where r runs from 0 for the smallest |δ| of its row to 1 for the
 * largest; density itself in rows of one element.
 */
export const atRandomByRank: Sparsifier = {
  isRandom: true,
  parameters: {
    density,
    epsilon: z
      ._default(z.number().check(z.minimum(0)), 0.15)
      .check(
        z.describe(
          'Half the range of probabilities: the smallest change of a row is kept with density − epsilon, the largest with density + epsilon.',
        ),
      ),
  },
  async keep(deltas, { density, epsilon }, context) {
    const columns = context.shape.at(-1) ?? 1
    return deltas.map((delta, i) => {
      const p = density[i]!
      const ε = epsilon![i]!
      if (p >= 1) return undefined
      if (p === 0) {
        keptCount(0, i, context)
        return lt(context.uniform(i), 0)
      }
      if (p - ε <= 0 || p + ε >= 1) {
        throw new MethodError({
          code: 'density-out-of-range',
          tensor: context.tensorName,
          model: i,
          name: context.nameOf(i),
          density: p,
          epsilon: ε,
        })
      }
      if (columns <= 1) return lt(context.uniform(i), p)
      return lt(context.uniform(i), add(p - ε, mul(rank(abs(delta)), (2 * ε) / (columns - 1))))
    })
  },
}

function keptCount(density: number, model: number, { elementCount, tensorName, nameOf, warn }: MethodContext): number {
  const kept = Math.trunc(density * elementCount)
  if (kept === 0 && elementCount > 0) {
    warn(`${tensorName}: density ${density} of ${nameOf(model)} keeps none of its ${elementCount} elements`)
  }
  return kept
}
