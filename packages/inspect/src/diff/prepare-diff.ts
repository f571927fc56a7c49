import { type MergeConfig, parseConfig, type RecipeModel, stringifyYaml } from '@mk/config'
import { type MergeInputs, prepareAssembly, type PreparedMerge, type PrepareSettings } from '@mk/merge'
import { builtinMethods } from '@mk/methods'

/** Two models to compare, and one that both were made from, if that is known. */
export interface DiffRequest {
  readonly a: RecipeModel
  readonly b: RecipeModel
  readonly base?: RecipeModel
}

/** Models that are open for a comparison, with the names that A has for their tensors. */
export interface PreparedDiff extends PreparedMerge {
  /** Positions among `inputs`. */
  readonly places: { readonly a: number; readonly b: number; readonly base?: number }
}

/**
 * Opens the models of a comparison as those of a merge: folders, files, the hub, quantized ones, GGUF, with adapters.
 * @throws CheckpointError, ConfigError, ArchitectureError, MergeError for those that can't be opened
 */
export async function prepareDiff(
  { a, b, base }: DiffRequest,
  options: PrepareSettings & { readonly file?: string | undefined },
): Promise<PreparedDiff> {
  const names = ['A', 'B', 'the base']
  const others = [b, ...(base === undefined ? [] : [base])].map((model) => ({ model }))
  const text = stringifyYaml({ merge_method: 'passthrough', base_model: a, models: others })
  let places: PreparedDiff['places'] | undefined
  const prepared = await prepareAssembly(
    {
      config: parseConfig(text).config,
      locate: ([key, index]) => (key === 'base_model' ? names[0]! : names[1 + Number(index)]!),
      method: builtinMethods.get('passthrough')!,
      recipe: { text },
      assemble(inputs, config) {
        places = findPlaces(inputs, config)
        return { tensors: [], config: undefined, notes: [], warnings: [] }
      },
    },
    { ...options, copyTokenizer: false, writeModelCard: false },
  )
  return { ...prepared, places: places! }
}

function findPlaces({ indexOf }: MergeInputs, { baseModel, modules }: MergeConfig): PreparedDiff['places'] {
  const [b, base] = modules.flatMap(({ slices }) => slices.flatMap(({ sources }) => sources.map(({ model }) => model)))
  return { a: indexOf(baseModel!), b: indexOf(b!), ...(base && { base: indexOf(base) }) }
}
