import { add, div, type Expression, type Mask, maximum, mul, select, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { total } from '../algebra/combine.ts'
import { dissent } from '../algebra/consensus.ts'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'
import { notFinite } from '../algebra/not-finite.ts'
import { flag, share } from '../declare/parameter-schemas.ts'
import { sumEach } from '../algebra/sum-each.ts'

/** A sum of weights below this is not divided by. */
const smallestSum = 1e-6

/**
 * Selects, calculates, erases (SCE). Select: the int(topk · #nonzero) elements whose variance across the task vectors is largest.
 * Calculate: the weight of a model is its mean δ² as a share of all, equal where their sum is below 10⁻⁶. Erase: what
 * disagrees with the sign of Σ δ. base + Σ w·δ / max(Σ w, 10⁻⁶) over what is left.
 * @throws MethodError `not-finite`
 */
export const sce = defineMethod({
  name: 'sce',
  summary:
    'Task vectors where they vary most, weighted by their energy, merged where they agree with the elected sign.',
  reference: { title: 'FuseChat: SCE (Wan et al. 2024)', url: 'https://arxiv.org/abs/2408.07990' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: {
    perModel: {},
    methodWide: {
      select_topk: z
        ._default(z.number().check(z.minimum(0)), 1)
        .check(z.describe('Share of the elements that vary which is kept, largest variance first.'), z.meta(share)),
      int8_mask: flag(false, 'Accepted for compatibility; has no effect.'),
    },
  },
  examples: [{}, { select_topk: 0.5 }],
  async merge({ base, models }, { select_topk }, context) {
    const differences = models.map((x) => sub(x, base!))
    const { deltas, sums } =
      select_topk < 1 ? await mostVarying(differences, select_topk, context) : await all(differences, context)
    const weights = energyShares(sums, context)
    const against = dissent(deltas)
    const mixed = total(deltas.map((delta, i) => select(against[i]!, 0, mul(delta, weights[i]!))))
    const divisor = total(weights.map((weight, i) => select(against[i]!, 0, weight)))
    return add(base!, div(mixed, maximum(divisor, smallestSum)))
  },
})

/** What is selected of the task vectors, and the sums of their squares. */
interface Selected {
  readonly deltas: readonly Expression[]
  readonly sums: readonly number[]
}

async function all(deltas: readonly Expression[], context: MethodContext): Promise<Selected> {
  return { deltas, sums: await sumEach(squares(deltas), context) }
}

async function mostVarying(
  differences: readonly Expression[],
  share: number,
  context: MethodContext,
): Promise<Selected> {
  const selected = (mask: Mask) => differences.map((delta) => select(mask, delta, 0))
  const value = variance(differences)
  const { mask, sums } = await context.largestShare({ value, share }, (kept) => squares(selected(kept)))
  return { deltas: selected(mask), sums }
}

const squares = (deltas: readonly Expression[]): Expression[] => deltas.map((delta) => mul(delta, delta))

/** Of the elements across the vectors. Taken from the first vector instead of from the mean, it is exactly 0 where all are equal. */
function variance([first, ...others]: readonly Expression[]): Expression {
  const count = others.length + 1
  const shifted = others.map((x) => sub(x, first!))
  const mean = mul(total(shifted), 1 / count)
  return sub(mul(total(shifted.map((d) => mul(d, d))), 1 / count), mul(mean, mean))
}

function energyShares(sums: readonly number[], context: MethodContext): number[] {
  const energies = sums.map((sum) => (context.elementCount === 0 ? 0 : sum / context.elementCount))
  energies.forEach((energy, model) => {
    if (!Number.isFinite(energy)) throw notFinite(context, { model, lessBase: true })
  })
  const whole = energies.reduce((a, b) => a + b, 0)
  return energies.map((energy) => (whole < smallestSum ? 1 / sums.length : energy / whole))
}
