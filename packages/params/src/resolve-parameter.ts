import type {
  ConfigPath,
  MergeConfig,
  ModuleConfig,
  ParameterBlock,
  ParameterSetting,
  ScalarValue,
  SliceConfig,
  SourceConfig,
} from '@mk/config'
import { matchesFilter } from './choose-method.ts'
import { gradientAt } from './gradient.ts'

/** The tensor that a value is asked for. */
export interface ParameterTarget {
  /** The input tensor's name for parameters of one model, the output tensor's for those of the method. */
  readonly tensorName: string
  /** Position of the layer in depth: 0 first, 1 last; see `layerDepth`. */
  readonly depth: number
}

/** A value, and where it stands. */
export interface ResolvedParameter {
  readonly value: ScalarValue
  /** Where in the config the value stands. */
  readonly path: ConfigPath
}

/**
 * Finds the first value that the blocks have for a tensor; where no filter of a block's list matches, the next block is asked.
 * @param blocks highest precedence first, see `parameterBlocks`
 * @returns undefined where no block has one: the method's default applies
 */
export function resolveParameter(
  name: string,
  blocks: readonly (ParameterBlock | undefined)[],
  target: ParameterTarget,
): ResolvedParameter | undefined {
  for (const block of blocks) {
    const setting = block?.settings.get(name)
    const resolved = setting && resolveSetting(setting, target, [...block!.path, name])
    if (resolved !== undefined) return resolved
  }
  return undefined
}

/**
 * Lists the blocks that hold for a slice, highest precedence first: the source's own, the slice's, those that early versions
 * give by model, the module's, the top level's. Without a source: for parameters of the method, which are never looked up per model.
 */
export const parameterBlocks = (
  config: MergeConfig,
  module: ModuleConfig,
  slice: SliceConfig,
  source?: SourceConfig,
): readonly (ParameterBlock | undefined)[] => [
  source?.parameters,
  slice.parameters,
  source?.modelParameters,
  module.parameters,
  config.parameters,
]

function resolveSetting(
  setting: ParameterSetting,
  target: ParameterTarget,
  path: ConfigPath,
): ResolvedParameter | undefined {
  switch (setting.kind) {
    case 'scalar':
      return { value: setting.value, path }
    case 'gradient':
      return { value: gradientAt(setting.values, target.depth), path }
    case 'filtered': {
      const index = setting.choices.findIndex((choice) => matchesFilter(choice, target.tensorName))
      const choice = setting.choices[index]
      return choice && resolveSetting(choice.value, target, [...path, index, 'value'])
    }
    default:
      return setting satisfies never
  }
}
