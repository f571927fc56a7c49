import { abs, add, div, eq, type Expression, type Mask, mul, type Operand, select, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { total } from '../algebra/combine.ts'
import { type ConsensusMethod, dissent } from '../algebra/consensus.ts'
import type { MethodContext, MethodDefinition } from '../declare/define-method.ts'
import { notFinite } from '../algebra/not-finite.ts'
import { factor, flag, lambda, weight } from '../declare/parameter-schemas.ts'
import { type LayerScale, layerScale, layerScaleParameters, scalesByLayer } from './layer-scale.ts'
import type { Sparsifier, SparsifierParameters } from './sparsify.ts'
import { sumEach } from '../algebra/sum-each.ts'

/** One method of the family: its description, and its choice at each step of the pipeline. */
export interface TaskVectorMethod extends Pick<MethodDefinition, 'name' | 'summary' | 'reference'> {
  /** Which elements of each task vector stay; absent: all. */
  readonly sparsifier?: Sparsifier
  /** Whether only elements are summed that agree with a sign elected among the models. */
  readonly vote: boolean
  /** Whether the sum is divided by the sum of its weights, unless the configuration says otherwise. */
  readonly normalize: boolean
  /** Whether a sparsified task vector gets its L1 norm back, unless the configuration says otherwise. */
  readonly rescale: boolean
}

interface TaskVectorParameters extends SparsifierParameters, LayerScale {
  readonly weight: readonly number[]
  readonly normalize: boolean
  readonly rescale?: boolean
  readonly lambda: number
  readonly consensus_method?: ConsensusMethod
}

/** Below this an L1 norm is not divided by. */
const smallestNorm = 1e-7

/**
 * Declares a method of the family that works on task vectors δ = model − base:
 * base + λ·Σ w·δ' / divisor, where δ' is δ sparsified, and rescaled to the L1 norm that it had if `rescale`. With a vote only
 * elements that agree with the elected sign are summed. The divisor, if `normalize`, is the sum of the weights summed. λ grows with the
 * depth of the layer where `lines_beta` says so.
 * Its `merge` throws MethodError `not-finite` where a norm to restore is not finite, and what the sparsifier throws.
 */
export function defineTaskVectorMethod({
  name,
  summary,
  reference,
  sparsifier,
  vote,
  ...defaults
}: TaskVectorMethod): MethodDefinition {
  return {
    name,
    summary,
    ...(reference && { reference }),
    base: 'required',
    ofTaskVectors: true,
    models: { min: 1 },
    parameters: {
      perModel: {
        // Where weights are not divided by, one is a factor.
        weight: defaults.normalize ? weight : factor,
        ...sparsifier?.parameters,
      },
      methodWide: {
        normalize: flag(
          defaults.normalize,
          vote
            ? 'Divide by the weights of the models that agree, element by element: only their ratios count.'
            : 'Divide by the sum of the weights: only their ratios count.',
        ),
        ...(sparsifier && {
          rescale: flag(defaults.rescale, 'Scale what is kept of a task vector to the size (L1 norm) that it had.'),
        }),
        lambda,
        ...layerScaleParameters,
        ...(vote && {
          consensus_method: z
            ._default(z.enum(['sum', 'count']), 'sum')
            .check(
              z.describe(
                'How the sign of each element is elected: by the sum of the weighted changes, or by counting models.',
              ),
            ),
        }),
        int8_mask: flag(false, 'Accepted for compatibility; has no effect.'),
      },
    },
    examples: [
      { weight: 0.5 },
      ...(sparsifier
        ? [
            { weight: 0.5, density: 0.5 },
            { weight: 0.5, density: 0.5, normalize: true, rescale: true },
          ]
        : [{ weight: 0.5, normalize: true }]),
      ...(vote ? [{ weight: 0.5, consensus_method: 'count' }] : []),
      ...(sparsifier?.parameters['q'] ? [{ weight: 0.5, density: 0.5, q: 0.7 }] : []),
    ],
    usesDepth: scalesByLayer,
    ...(sparsifier?.isRandom && {
      draws: ({ density }) => (density as readonly number[]).some((share) => share > 0 && share < 1),
    }),
    async merge({ base, models }, parameters, context) {
      const given = parameters as unknown as TaskVectorParameters
      const { weight, normalize, rescale, lambda, consensus_method } = given
      const deltas = models.map((x) => sub(x, base!))
      const kept = sparsifier ? await sparsifier.keep(deltas, given, context) : []
      const sparse = deltas.map((delta, i) => (kept[i] ? select(kept[i], delta, 0) : delta))
      const q = given.q ?? deltas.map(() => 0)
      const isRescaled = deltas.map((_, i) => rescale === true && kept[i] !== undefined && q[i] === 0)
      // What is drawn, and ranked before, is the same when the elements are computed.
      const remember = sparsifier?.isRandom ? kept.filter((mask) => mask !== undefined) : []
      const norms = await normRatios({ deltas, kept, isRescaled, remember }, context)
      const scales = norms.map((ratio, i) => (q[i] === 0 ? ratio : 1 / q[i]!))

      const weighted = sparse.map((delta, i) => mul(delta, weight[i]! * scales[i]!))
      const { mixed, divisor } = vote ? agreeing(weighted, weight, consensus_method) : all(weighted, weight)
      return add(base!, mul(normalize ? div(mixed, divisor) : mixed, lambda * layerScale(given, context)))
    },
  }
}

function all(weighted: readonly Expression[], weights: readonly number[]): { mixed: Expression; divisor: Operand } {
  const sum = weights.reduce((a, b) => a + b, 0)
  return { mixed: total(weighted), divisor: Math.abs(sum) < 1e-8 ? 1 : sum }
}

function agreeing(
  weighted: readonly Expression[],
  weights: readonly number[],
  method?: ConsensusMethod,
): { mixed: Expression; divisor: Operand } {
  const against = dissent(weighted, method)
  const sum = total(weights.map((weight, i) => select(against[i]!, 0, weight)))
  return {
    mixed: total(weighted.map((delta, i) => select(against[i]!, 0, delta))),
    divisor: select(eq(sum, 0), 1, sum),
  }
}

/** Computes Σ|δ| / Σ|what is kept of δ| for each model that is rescaled, 1 for the others. */
async function normRatios(
  {
    deltas,
    kept,
    isRescaled,
    remember,
  }: {
    readonly deltas: readonly Expression[]
    readonly kept: readonly (Mask | undefined)[]
    readonly isRescaled: readonly boolean[]
    readonly remember: readonly Mask[]
  },
  context: MethodContext,
) {
  const rescaled = deltas.flatMap((_, i) => (isRescaled[i] ? [i] : []))
  const magnitudes = deltas.map(abs)
  const norms = await sumEach(
    [...rescaled.map((i) => magnitudes[i]!), ...rescaled.map((i) => select(kept[i]!, magnitudes[i]!, 0))],
    context,
    {
      remember,
    },
  )
  const ratios = deltas.map(() => 1)
  rescaled.forEach((model, i) => {
    const before = norms[i]!
    const after = norms[i + rescaled.length]!
    if (!Number.isFinite(before)) throw notFinite(context, { model, lessBase: true })
    if (before >= smallestNorm && after >= smallestNorm) ratios[model] = before / after
  })
  return ratios
}
