import {
  abs,
  add,
  and,
  div,
  eq,
  type Expression,
  gt,
  le,
  type Mask,
  maximum,
  mul,
  not,
  type Operand,
  select,
  sub,
} from '@mk/tensor'
import { z } from 'zod'
import { total } from './combine.ts'
import { defineMethod } from './define-method.ts'
import { sumEach } from './sum-each.ts'

const reference = { title: 'Reinforced Agent Merging (2026)', url: 'https://arxiv.org/abs/2601.13572' }
const epsilon = z.number().min(0).default(1e-5).describe('A task vector is active where it is larger than this.')

/**
 * An element of a task vector δ = model − base is active where |δ| > ε. Added to the base: what only one model has active as
 * it is, what several share as their average.
 */
export const ram = defineMethod({
  name: 'ram',
  summary: 'Base plus changes that one model alone has, and the average of those that several share.',
  reference,
  base: 'required',
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: { epsilon } },
  merge: ({ base, models }, { epsilon }) => {
    const activity = findActive(base!, models, epsilon)
    return add(
      base!,
      merged(
        activity,
        models.map(() => 1),
      ),
    )
  },
})

/** As `ram`, unique changes × (1 + r·clamp(shared count / unique count, 0, alpha)), counted for each model in this tensor. */
export const ramPlusTl = defineMethod({
  name: 'ramplus_tl',
  summary: 'As ram, unique changes amplified by how much of a model is shared, tensor by tensor.',
  reference,
  base: 'required',
  models: { min: 1 },
  parameters: {
    perModel: {},
    methodWide: {
      r: z.number().default(0.1).describe('How much unique changes are amplified for each shared one.'),
      alpha: z.number().min(0).default(0.2).describe('Largest ratio of shared to unique changes that counts.'),
      epsilon,
    },
  },
  async merge({ base, models }, { r, alpha, epsilon }, context) {
    const activity = findActive(base!, models, epsilon)
    const { active, count } = activity
    const shared = active.map((mask) => and(mask, gt(count, 1)))
    const unique = active.map((mask) => and(mask, eq(count, 1)))
    const counts = await sumEach([...shared, ...unique], context)
    const factors = models.map((_, i) => {
      const ratio = counts[i] === 0 ? 0 : counts[i]! / counts[i + models.length]!
      return 1 + r * Math.min(ratio, alpha)
    })
    return add(base!, merged(activity, factors))
  },
})

interface Activity {
  readonly deltas: readonly Expression[]
  readonly active: readonly Mask[]
  /** In how many models the element is active. */
  readonly count: Expression
}

function findActive(base: Expression, models: readonly Expression[], epsilon: number): Activity {
  const deltas = models.map((x) => sub(x, base))
  // not ≤ instead of >, so that NaN is active and shows in the result
  const active = deltas.map((delta) => not(le(abs(delta), epsilon)))
  return { deltas, active, count: total(active.map((mask) => select(mask, 1, 0))) }
}

const merged = ({ deltas, active, count }: Activity, uniqueFactors: readonly Operand[]): Expression => {
  const unique = eq(count, 1)
  const sum = total(deltas.map((delta, i) => select(active[i]!, mul(delta, select(unique, uniqueFactors[i]!, 1)), 0)))
  return div(sum, maximum(count, 1))
}
