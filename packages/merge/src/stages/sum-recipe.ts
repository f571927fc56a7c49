import type { ConfigPath, MergeConfig, ModelSum, ParameterBlock } from '@mk/config'
import { sumOfModels } from '@mk/methods'

/**
 * Makes the recipe that a sum of models stands for.
 * @param path of the sum in the recipe that has it
 * @param missing what that recipe says of tensors that not all models have
 */
export function sumRecipe({ base, plus }: ModelSum, path: ConfigPath, missing: MergeConfig['missing']): MergeConfig {
  const none: ParameterBlock = { path, settings: new Map() }
  const plusPath = [...path, 'plus']
  const sources = plus.map(({ model, weight }, index) => {
    const own = [...plusPath, index]
    const settings = new Map([['weight', { kind: 'scalar' as const, value: weight }]])
    return { model, parameters: { path: own, settings }, path: own }
  })
  return {
    mergeMethod: [{ filter: undefined, method: sumOfModels.name, path }],
    baseModel: base,
    modules: [
      {
        name: undefined,
        from: 'models',
        parameters: none,
        path,
        slices: [{ sources, baseModel: base, baseApart: true, parameters: none, path: plusPath }],
      },
    ],
    parameters: none,
    ...(missing !== undefined && { missing }),
  }
}
