export { ConfigError, formatPath, formatPlace } from './errors.ts'
export type { ConfigFault, ConfigIssue, Position } from './errors.ts'
export { formatConfig, stringifyYaml } from './format-config.ts'
export type {
  ConfigPath,
  DtypeName,
  MergeConfig,
  ModelReference,
  ModuleConfig,
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
export { formatModelReference, parseModelReference, sameModel } from './model-reference.ts'
export { parseConfig } from './parse-config.ts'
export type { ParsedConfig } from './parse-config.ts'
