export { ConfigError } from './errors.ts'
export type { ConfigIssue } from './errors.ts'
export { nearestDtype, outDtypeNames } from './dtype-name.ts'
export { comparePositions, formatPath, formatPlace } from './place.ts'
export type { ObjectPosition, Position, TextPosition } from './place.ts'
export type {
  ConfigPath,
  DtypeName,
  MergeConfig,
  MethodChoice,
  MissingTensorsConfig,
  ModelReference,
  ModelSum,
  ModuleConfig,
  OutDtypeName,
  AdapterSpace,
  OutFormat,
  ParameterBlock,
  ParameterSetting,
  ScalarValue,
  SliceConfig,
  SourceConfig,
  TokenConfig,
  TokenEmbeddingConfig,
  TokenizerConfig,
  TokenizerSourceConfig,
} from './merge-config.ts'
export { formatModelReference, parseModelReference, referenceToSum, sameModel } from './model-reference.ts'
export { listReferences, listSummands } from './list-references.ts'
export type { NamedModel } from './list-references.ts'
export { readRecipes } from './read-recipes.ts'
export type { ReadRecipes } from './read-recipes.ts'
export { parseConfig, readConfig } from './parse-config.ts'
export type { ParsedConfig, ParseOptions, ReadConfig } from './parse-config.ts'
export type {
  RecipeChoice,
  RecipeMethod,
  RecipeModel,
  RecipeOf,
  RecipeParameters,
  RecipeSetting,
  RowParameters,
} from './recipe.ts'
export { configSchema } from './schema/config-schema.ts'
export type { MethodSchemas } from './schema/config-schema.ts'
export { blockTypeNames as blockTypes, booleanSchema, when } from './schema/shapes.ts'
export type { JsonSchema } from './schema/shapes.ts'
export { stringifyYaml } from './stringify-yaml.ts'
