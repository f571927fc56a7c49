import { abs, add, div, eq, type Expression, type Mask, mul, type Operand, select, sub } from '@mk/tensor'
import { z } from 'zod'
import { total } from './combine.ts'
import { type ConsensusMethod, dissent } from './consensus.ts'
import type { MethodContext, MethodDefinition } from './define-method.ts'
import { MethodError } from './errors.ts'
import { flag, weight } from './parameter-schemas.ts'
import {
  atRandom,
  atRandomByRank,
  betweenMagnitudes,
  byMagnitude,
  type Sparsifier,
  type SparsifierParameters,
} from './sparsify.ts'
import { sumEach } from './sum-each.ts'

/** One method of the family: what is said of it, and its choice at each step. */
interface Row extends Pick<MethodDefinition, 'name' | 'summary' | 'reference'> {
  readonly sparsifier?: Sparsifier
  readonly vote: boolean
  readonly normalize: boolean
  readonly rescale: boolean
}

const ties = { title: 'TIES-Merging (Yadav et al. 2023)', url: 'https://arxiv.org/abs/2306.01708' }
const dare = { title: 'DARE (Yu et al. 2023)', url: 'https://arxiv.org/abs/2311.03099' }
const della = { title: 'DELLA-Merging (Deep et al. 2024)', url: 'https://arxiv.org/abs/2406.11617' }
const breadcrumbs = { title: 'Model Breadcrumbs (Davari & Belilovsky 2023)', url: 'https://arxiv.org/abs/2312.06795' }
const taskArithmetic = {
  title: 'Editing models with task arithmetic (Ilharco et al. 2022)',
  url: 'https://arxiv.org/abs/2212.04089',
}

const rows: readonly Row[] = [
  {
    name: 'task_arithmetic',
    vote: false,
    normalize: false,
    rescale: false,
    reference: taskArithmetic,
    summary: 'Base plus the weighted task vectors.',
  },
  {
    name: 'ties',
    sparsifier: byMagnitude,
    vote: true,
    normalize: true,
    rescale: false,
    reference: ties,
    summary: 'Task vectors trimmed to their largest elements, merged where they agree with the elected sign.',
  },
  {
    name: 'dare_linear',
    sparsifier: atRandom,
    vote: false,
    normalize: false,
    rescale: true,
    reference: dare,
    summary: 'Task vectors thinned at random and rescaled.',
  },
  {
    name: 'dare_ties',
    sparsifier: atRandom,
    vote: true,
    normalize: false,
    rescale: true,
    reference: dare,
    summary: 'Task vectors thinned at random and rescaled, merged where they agree with the elected sign.',
  },
  {
    name: 'della',
    sparsifier: atRandomByRank,
    vote: true,
    normalize: true,
    rescale: true,
    reference: della,
    summary:
      'Task vectors thinned at random, small elements the more, and rescaled; merged where they agree with the elected sign.',
  },
  {
    name: 'della_linear',
    sparsifier: atRandomByRank,
    vote: false,
    normalize: false,
    rescale: true,
    reference: della,
    summary: 'Task vectors thinned at random, small elements the more, and rescaled.',
  },
  {
    name: 'breadcrumbs',
    sparsifier: betweenMagnitudes,
    vote: false,
    normalize: false,
    rescale: false,
    reference: breadcrumbs,
    summary: 'Task vectors without their largest and smallest elements.',
  },
  {
    name: 'breadcrumbs_ties',
    sparsifier: betweenMagnitudes,
    vote: true,
    normalize: false,
    rescale: false,
    reference: breadcrumbs,
    summary: 'Task vectors without their largest and smallest elements, merged where they agree with the elected sign.',
  },
]

interface TaskVectorParameters extends SparsifierParameters {
  readonly weight: readonly number[]
  readonly normalize: boolean
  readonly rescale?: boolean
  readonly lambda: number
  readonly consensus_method?: ConsensusMethod
}

/** Below this an L1 norm is not divided by. */
const smallestNorm = 1e-7

/** The methods that work on task vectors δ = model − base. */
export const taskVectorMethods: readonly MethodDefinition[] = rows.map(taskVectorMethod)

/**
 * base + λ·Σ w·δ' / divisor, where δ' is δ sparsified, and rescaled to the L1 norm that it had if `rescale`. With a vote only
 * elements that agree with the elected sign are summed. The divisor, if `normalize`, is the sum of the weights summed.
 * @throws MethodError `density-out-of-range`, `not-finite`
 */
function taskVectorMethod({ name, summary, reference, sparsifier, vote, ...defaults }: Row): MethodDefinition {
  return {
    name,
    summary,
    ...(reference && { reference }),
    base: 'required',
    models: { min: 1 },
    parameters: {
      perModel: { weight, ...sparsifier?.parameters },
      methodWide: {
        normalize: flag(defaults.normalize, 'Divide by the sum of the weights, with a vote of the agreeing ones.'),
        ...(sparsifier && {
          rescale: flag(defaults.rescale, 'Scale what is kept of a task vector to the L1 norm it had.'),
        }),
        lambda: z.number().default(1).describe('Factor on the merged task vector.'),
        ...(vote && {
          consensus_method: z
            .enum(['sum', 'count'])
            .default('sum')
            .describe('Elect the sign by sum or by count of signs.'),
        }),
        int8_mask: flag(false, 'Accepted for compatibility; has no effect.'),
      },
    },
    async merge({ base, models }, parameters, context) {
      const { weight, normalize, rescale, lambda, consensus_method } = parameters as unknown as TaskVectorParameters
      const deltas = models.map((x) => sub(x, base!))
      const kept = sparsifier
        ? await sparsifier.keep(deltas, parameters as unknown as TaskVectorParameters, context)
        : []
      const sparse = deltas.map((delta, i) => (kept[i] ? select(kept[i], delta, 0) : delta))
      const scales = rescale ? await restoreNorms(deltas, sparse, kept, context) : deltas.map(() => 1)

      const weighted = sparse.map((delta, i) => mul(delta, weight[i]! * scales[i]!))
      const { mixed, divisor } = vote ? agreeing(weighted, weight, consensus_method) : all(weighted, weight)
      return add(base!, mul(normalize ? div(mixed, divisor) : mixed, lambda))
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

/** Σ|δ| / Σ|what is kept of δ| */
async function restoreNorms(
  deltas: readonly Expression[],
  sparse: readonly Expression[],
  kept: readonly (Mask | undefined)[],
  context: MethodContext,
) {
  const pruned = deltas.flatMap((_, i) => (kept[i] ? [i] : []))
  const norms = await sumEach([...deltas, ...sparse].filter((_, i) => kept[i % deltas.length]).map(abs), context)
  const scales = deltas.map(() => 1)
  pruned.forEach((model, i) => {
    const before = norms[i]!
    const after = norms[i + pruned.length]!
    if (!Number.isFinite(before)) throw new MethodError({ code: 'not-finite', tensor: context.tensorName, model })
    if (before >= smallestNorm && after >= smallestNorm) scales[model] = before / after
  })
  return scales
}
