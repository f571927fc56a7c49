import { type MergeConfig, type ModelReference, sameModel } from '@mk/config'

/**
 * Names the base of a recipe that is to become an adapter and names none: the model that each of its models is, with adapters
 * over it. Where they are others, or none has adapters, the recipe stays as it is.
 */
export function withBase(config: MergeConfig): MergeConfig {
  if (config.outFormat !== 'lora' || config.baseModel !== undefined) return config
  const models = config.modules.flatMap(({ slices }) =>
    slices.flatMap(({ sources }) => sources.map(({ model }) => model)),
  )
  const base = models.find(({ adapters }) => adapters.length > 0)
  if (base === undefined) return config
  const bare = withoutAdapters(base)
  return models.every((model) => sameModel(withoutAdapters(model), bare)) ? { ...config, baseModel: bare } : config
}

const withoutAdapters = (model: ModelReference): ModelReference => ({ ...model, adapters: [] })
