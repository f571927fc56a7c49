import type { ConfigPath, MergeConfig, ParameterBlock, ParameterSetting } from '@mk/config'

/** A parameter that a config sets, and where. */
export interface ParameterName {
  readonly name: string
  readonly path: ConfigPath
  readonly setting: ParameterSetting
  /** 'model': written for one model, where parameters of the method are never looked up. */
  readonly level: 'model' | 'general'
}

/** Lists every parameter that a config sets, each place once, so that misspelled and unused ones can be named. */
export function listParameterNames(config: MergeConfig): ParameterName[] {
  const names = new Map<string, ParameterName>()
  const add = (block: ParameterBlock | undefined, level: ParameterName['level']): void => {
    for (const [name, setting] of block?.settings ?? []) {
      const path = [...block!.path, name]
      names.set(JSON.stringify(path), { name, path, setting, level })
    }
  }
  add(config.parameters, 'general')
  for (const module of config.modules) {
    add(module.parameters, 'general')
    for (const slice of module.slices) {
      add(slice.parameters, 'general')
      for (const source of slice.sources) {
        add(source.parameters, 'model')
        add(source.modelParameters, 'model')
      }
    }
  }
  return [...names.values()]
}
