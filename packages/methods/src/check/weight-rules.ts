import * as z from 'zod/mini'
import { type Expression, mul, sub } from '@mk/tensor'
import { MethodError } from '../errors.ts'
import type { MethodDefinition } from '../declare/define-method.ts'

/** The ways in which weights follow from norms over all that is merged. */
export const weightRules = ['metagpt', 'inverse_norm'] as const

/** The name of one of `weightRules`. */
export type WeightRule = (typeof weightRules)[number]

/** Tells whether a value is the name of such a way, in the place of a number. */
export const isWeightRule = (value: unknown): value is WeightRule =>
  typeof value === 'string' && weightRules.some((rule) => rule === value)

/** Tells whether a type of numbers also takes the names of `weightRules`: its schema says so as `.meta({ byNorm: true })`. */
export const takesRules = (schema: z.core.$ZodType): boolean =>
  (z.globalRegistry.get(schema) as { readonly byNorm?: boolean } | undefined)?.byNorm === true

/** A parameter of all models that follows from norms. */
export interface RuledParameter {
  readonly parameter: string
  readonly rule: WeightRule
}

/**
 * Finds the parameter that has rules in the place of numbers, and checks that they can be followed.
 * @throws MethodError 'weights-by-norm' where only some models have them, or different ones, or there is no base for them
 */
export function findRule(
  { name: method, parameters: { perModel } }: Pick<MethodDefinition, 'name' | 'parameters'>,
  parameters: Readonly<Record<string, unknown>>,
  { hasBase, tensor }: { readonly hasBase: boolean; readonly tensor: string },
): RuledParameter | undefined {
  for (const [parameter, schema] of Object.entries(perModel)) {
    if (!takesRules(schema)) continue
    const values = parameters[parameter] as readonly unknown[]
    const rule = values.find(isWeightRule)
    if (rule === undefined) continue
    const problem = values.some((value) => value !== rule)
      ? 'mixed'
      : rule === 'metagpt' && !hasBase
        ? 'no-base'
        : undefined
    if (problem !== undefined)
      throw new MethodError({ code: 'weights-by-norm', method, parameter, rule, tensor, problem })
    return { parameter, rule }
  }
  return undefined
}

/** Gives for each model the expression whose sum is the square of its norm, as far as one tensor goes. */
export const normTerms = (
  rule: WeightRule,
  { base, models }: { readonly base: Expression | undefined; readonly models: readonly Expression[] },
): readonly Expression[] =>
  models.map((x) => {
    const vector = rule === 'metagpt' ? sub(x, base!) : x
    return mul(vector, vector)
  })

/**
 * Computes weights that sum to 1 from squared norms over all that is merged. `metagpt`: ‖τᵢ‖² / Σ ‖τⱼ‖² of the task vectors τ, equal ones
 * where all are 0 ([MetaGPT](https://arxiv.org/abs/2406.11385)). `inverse_norm`: 1/‖xᵢ‖ / Σ 1/‖xⱼ‖ of the models
 * ([NAN](https://arxiv.org/abs/2505.16148)).
 * @param squares finite, one for each model
 * @throws MethodError 'norm-zero'
 */
export function weightsByNorm(
  rule: WeightRule,
  squares: readonly number[],
  nameOf: (model: number) => string,
): number[] {
  switch (rule) {
    case 'metagpt': {
      const sum = squares.reduce((a, b) => a + b, 0)
      return squares.map((square) => (sum === 0 ? 1 / squares.length : square / sum))
    }
    case 'inverse_norm': {
      const zero = squares.indexOf(0)
      if (zero >= 0) throw new MethodError({ code: 'norm-zero', name: nameOf(zero) })
      const inverse = squares.map((square) => 1 / Math.sqrt(square))
      const sum = inverse.reduce((a, b) => a + b, 0)
      return inverse.map((each) => each / sum)
    }
    default:
      return rule satisfies never
  }
}
