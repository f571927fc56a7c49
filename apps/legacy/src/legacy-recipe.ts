import { parseModelReference, sameModel } from '@mk/config'
import type { ModelArgument } from '@mk/cli'
import type { MethodDefinition } from '@mk/methods'
import { LegacyError } from './errors.ts'

/** What the arguments of `mergekit-legacy` say; absent flags were not given. */
export interface LegacyArguments {
  readonly method: string
  readonly merge: readonly ModelArgument[]
  /** In the order of `merge`; one for all, or none. */
  readonly weight: readonly number[]
  readonly density: readonly number[]
  readonly baseModel?: ModelArgument
  readonly normalize?: boolean
  readonly int8Mask?: boolean
  readonly bf16?: boolean
  readonly naiveCount?: boolean
}

/** What of a method the translation depends on. */
export type MethodFacts = Pick<MethodDefinition, 'base' | 'models' | 'parameters'>

/**
 * Translates arguments of `mergekit-legacy` to a merge configuration as plain data. What the arguments leave open is only
 * written where the method has that parameter: weight 1, and `normalize`, which is yes here for every method.
 * @throws LegacyError; ConfigError for a model reference that is none
 */
export function legacyRecipe(given: LegacyArguments, method: MethodFacts): Record<string, unknown> {
  checkModels(given, method)
  const isSlerp = given.method === 'slerp'
  if (isSlerp && given.weight.length !== 1) {
    throw new LegacyError({ code: 'slerp-weights', found: given.weight.length })
  }
  const weights = isSlerp ? [] : perModel('--weight', given.weight, given.merge.length)
  const densities = perModel('--density', given.density, given.merge.length)
  const takesWeight = 'weight' in method.parameters.perModel
  const models = given.merge.map((model, index) => {
    const weight = weights[index] ?? (takesWeight ? 1 : undefined)
    return withParameters({ model }, { weight, density: densities[index] })
  })
  const parameters = {
    t: isSlerp ? given.weight[0] : undefined,
    normalize: given.normalize ?? ('normalize' in method.parameters.methodWide ? true : undefined),
    int8_mask: given.int8Mask || undefined,
    consensus_method: given.naiveCount ? 'count' : undefined,
  }
  return withParameters(
    { merge_method: given.method, ...(given.baseModel !== undefined && { base_model: given.baseModel }), models },
    parameters,
    given.bf16 ? { dtype: 'bfloat16' } : {},
  )
}

function checkModels(
  { method: name, merge, baseModel }: LegacyArguments,
  { base, models: { min, max } }: MethodFacts,
): void {
  if (merge.length === 0) throw new LegacyError({ code: 'no-models' })
  if (base === 'required' && baseModel === undefined) throw new LegacyError({ code: 'no-base-model', method: name })
  const references = merge.map(parseModelReference)
  const baseReference = baseModel === undefined ? undefined : parseModelReference(baseModel)
  // The base may be among the models; the first such entry is then the base, not one more model.
  const listed =
    base !== 'none' && baseReference !== undefined && references.some((model) => sameModel(model, baseReference))
  const found = merge.length - (listed ? 1 : 0)
  if (found >= min && found <= (max ?? Infinity)) return
  const hasBase = baseReference !== undefined
  throw new LegacyError({ code: 'merge-count', method: name, expected: { min, max }, hasBase, found })
}

/** One value for each model: one given stands for all, none for the default. */
function perModel(option: string, values: readonly number[], modelCount: number): readonly number[] {
  if (values.length === 0 || values.length === modelCount) return values
  if (values.length === 1) return Array.from({ length: modelCount }, () => values[0]!)
  throw new LegacyError({ code: 'value-count', option, found: values.length, modelCount })
}

function withParameters(
  entry: Record<string, unknown>,
  parameters: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return { ...entry, ...(given.length > 0 && { parameters: Object.fromEntries(given) }), ...more }
}
