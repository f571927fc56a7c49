// A config as the YAML that parses back to it. Tests and the fuzzing of recipes use it; hence plain JavaScript, and the package
// by its name.
import { formatModelReference, stringifyYaml } from '@mk/config'

/**
 * Writes a config as YAML that `parseConfig` (and mergekit, where it knows the setting) reads back as the same config.
 * @param {import('@mk/config').MergeConfig} config
 */
export const formatConfig = (config) => stringifyYaml(configToPlain(config))

/**
 * Writes several recipes as one file that `readRecipes` reads back.
 * @param {readonly import('@mk/config').MergeConfig[]} configs
 */
export const formatConfigs = (configs) => configs.map(formatConfig).join('---\n')

function configToPlain(config) {
  const [first] = config.modules
  const unnamed = first !== undefined && first.name === undefined
  return {
    ...(config.name !== undefined && { name: config.name }),
    merge_method: methodToPlain(config.mergeMethod),
    ...(config.baseModel !== undefined && { base_model: modelReferenceToPlain(config.baseModel) }),
    ...(unnamed
      ? moduleToPlain(first)
      : { modules: new Map(config.modules.map((module) => [module.name, moduleToPlain(module)])) }),
    ...modelParametersToPlain(config),
    ...parametersToPlain(config.parameters),
    ...(config.dtype !== undefined && { dtype: config.dtype }),
    ...(config.outDtype !== undefined && { out_dtype: config.outDtype }),
    ...(config.tokenizer !== undefined && tokenizerToPlain(config.tokenizer)),
    ...(config.chatTemplate !== undefined && { chat_template: config.chatTemplate }),
  }
}

/** A single one without a filter is its name. */
const methodToPlain = (choices) =>
  choices.length === 1 && choices[0].filter === undefined
    ? choices[0].method
    : choices.map(({ filter, method }) => ({ ...(filter !== undefined && { filter }), value: method }))

function moduleToPlain({ from, slices, mergeMethod, parameters }) {
  const parts =
    from === 'models'
      ? { models: slices.flatMap(({ sources }) => sources.map(sourceToPlain)) }
      : { slices: slices.map(sliceToPlain) }
  return {
    ...parts,
    ...(mergeMethod !== undefined && { merge_method: methodToPlain(mergeMethod) }),
    ...parametersToPlain(parameters),
  }
}

const sliceToPlain = ({ sources, baseModel, mergeMethod, parameters }) => ({
  sources: sources.map(sourceToPlain),
  ...(baseModel !== undefined && { base_model: modelReferenceToPlain(baseModel) }),
  ...(mergeMethod !== undefined && { merge_method: methodToPlain(mergeMethod) }),
  ...parametersToPlain(parameters),
})

const sourceToPlain = ({ model, layerRange, parameters }) => ({
  model: modelReferenceToPlain(model),
  ...(layerRange !== undefined && { layer_range: [...layerRange] }),
  ...parametersToPlain(parameters),
})

function modelParametersToPlain({ modules }) {
  const sources = modules.flatMap(({ slices }) => slices.flatMap((slice) => slice.sources))
  const blocks = new Map()
  for (const { model, modelParameters } of sources)
    if (modelParameters !== undefined) blocks.set(formatModelReference(model), settingsToPlain(modelParameters))
  return blocks.size === 0 ? {} : { input_model_parameters: blocks }
}

const parametersToPlain = (block) => (block.settings.size === 0 ? {} : { parameters: settingsToPlain(block) })

/** A Map, as objects would put names such as '1' first. */
const settingsToPlain = ({ settings }) =>
  new Map([...settings].map(([name, setting]) => [name, settingToPlain(setting)]))

function settingToPlain(setting) {
  switch (setting.kind) {
    case 'scalar':
      return setting.value
    case 'gradient':
      return [...setting.values]
    case 'filtered':
      return setting.choices.map(({ filter, value }) => ({
        ...(filter !== undefined && { filter }),
        value: settingToPlain(value),
      }))
    default:
      throw new Error(`a setting of the kind '${setting.kind}'`)
  }
}

function tokenizerToPlain(tokenizer) {
  if (tokenizer.kind === 'average-rows') return { tokenizer_source: tokenizerSourceToPlain(tokenizer.source) }
  const { source, tokens, padToMultipleOf } = tokenizer
  return {
    tokenizer: {
      source: tokenizerSourceToPlain(source),
      ...(tokens.length > 0 && { tokens: new Map(tokens.map((token) => [token.token, tokenToPlain(token)])) }),
      ...(padToMultipleOf !== undefined && { pad_to_multiple_of: padToMultipleOf }),
    },
  }
}

const tokenizerSourceToPlain = (source) =>
  source.kind === 'model'
    ? modelReferenceToPlain(source.model, (text) => /^(base$|union$|model:)/.test(text))
    : source.kind

const tokenToPlain = ({ source, force }) => ({
  ...(source !== undefined && { source: embeddingToPlain(source) }),
  ...(force && { force }),
})

function embeddingToPlain(source) {
  if (source.kind === 'zero') return { kind: 'zero' }
  if (source.kind === 'model') return modelReferenceToPlain(source.model, (text) => /^(zero|model_token)$/.test(text))
  const model = modelReferenceToPlain(source.model)
  return 'token' in source
    ? { kind: 'model_token', model, token: source.token }
    : { kind: 'model_token', model, token_id: source.tokenId }
}

/**
 * Writes a reference as config data: text where it says everything and is not misread where it will stand, else the object form.
 * @param {import('@mk/config').ModelReference} model
 * @param {(text: string) => boolean} isMisread
 * @returns {unknown}
 */
export function modelReferenceToPlain(model, isMisread = () => false) {
  const { path, revision, adapters, overrideArchitecture, sum } = model
  if (sum !== undefined)
    return {
      base: modelReferenceToPlain(sum.base),
      plus: sum.plus.map(({ model: term, weight }) => ({
        model: modelReferenceToPlain(term),
        ...(weight !== 1 && { weight }),
      })),
    }
  const text = formatModelReference(model)
  if (overrideArchitecture === undefined && [{ path, revision }, ...adapters].every(isTextual) && !isMisread(text))
    return text
  const lora = adapters.map(repositoryToPlain)
  return {
    model: repositoryToPlain({ path, revision }),
    ...(lora.length > 0 && { lora: lora.length === 1 ? lora[0] : lora }),
    ...(overrideArchitecture !== undefined && { override_architecture: overrideArchitecture }),
  }
}

const repositoryToPlain = ({ path, revision }) => ({ path, ...(revision !== undefined && { revision }) })

const isTextual = ({ path, revision }) =>
  [path, revision].every((part) => part === undefined || (part !== '' && part === part.trim() && !/[@+]/.test(part)))
