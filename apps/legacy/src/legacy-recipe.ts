import { UsageError } from '@mk/cli'
import { parseModelReference, sameModel } from '@mk/config'
import type { MethodDefinition } from '@mk/methods'

/** What the arguments of `mergekit-legacy` say; absent flags were not given. */
export interface LegacyArguments {
  readonly method: string
  readonly merge: readonly string[]
  /** In the order of `merge`; one for all, or none. */
  readonly weight: readonly number[]
  readonly density: readonly number[]
  readonly baseModel?: string
  readonly normalize?: boolean
  readonly int8Mask?: boolean
  readonly bf16?: boolean
  readonly naiveCount?: boolean
}

/** What of a method the translation depends on. */
export type MethodFacts = Pick<MethodDefinition, 'base' | 'models' | 'parameters'>

/**
 * The merge configuration, as plain data, that arguments of `mergekit-legacy` mean. What the arguments leave open is only
 * written where the method has that parameter: weight 1, and `normalize`, which is yes here for every method.
 * @throws UsageError, ConfigError (for a model that is none)
 */
export function legacyRecipe(given: LegacyArguments, method: MethodFacts): Record<string, unknown> {
  checkModels(given, method)
  const isSlerp = given.method === 'slerp'
  if (isSlerp && given.weight.length !== 1) {
    throw new UsageError(
      `slerp takes exactly one --weight, the way from the base model (0) to the other (1), found ${given.weight.length}`,
    )
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
  if (merge.length === 0) throw new UsageError(`no models to merge: give each one as '--merge MODEL'`)
  if (base === 'required' && baseModel === undefined) throw new UsageError(`${name} needs a --base-model`)
  const references = merge.map(parseModelReference)
  const baseReference = baseModel === undefined ? undefined : parseModelReference(baseModel)
  // The base may be among the models; the first such entry is then the base, not one more model.
  const listed =
    base !== 'none' && baseReference !== undefined && references.some((model) => sameModel(model, baseReference))
  const found = merge.length - (listed ? 1 : 0)
  if (found >= min && found <= (max ?? Infinity)) return
  const count = max === undefined ? `at least ${min}` : min === max ? `exactly ${min}` : `${min} to ${max}`
  throw new UsageError(
    `${name} takes ${count} --merge${baseReference === undefined ? '' : ' besides the --base-model'}, found ${found}`,
  )
}

/** One value for each model: one given stands for all, none for the default. */
function perModel(option: string, values: readonly number[], modelCount: number): readonly number[] {
  if (values.length === 0 || values.length === modelCount) return values
  if (values.length === 1) return Array.from({ length: modelCount }, () => values[0]!)
  throw new UsageError(
    `${option} is given ${values.length} times for ${modelCount} --merge; expected one for each model, one for all, or none`,
  )
}

function withParameters(
  entry: Record<string, unknown>,
  parameters: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  return { ...entry, ...(given.length > 0 && { parameters: Object.fromEntries(given) }), ...more }
}
