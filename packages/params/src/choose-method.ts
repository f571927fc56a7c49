import type { MergeConfig, MethodChoice, ModuleConfig, SliceConfig } from '@mk/config'

/** Tells whether an entry `{filter, value}` holds for a tensor: where the filter is a part of its name, or none. */
export const matchesFilter = ({ filter }: { readonly filter: string | undefined }, tensorName: string): boolean =>
  filter === undefined || filter === '*' || tensorName.includes(filter)

/** Lists the methods that tensors of a slice may have, in the order in which they are asked: the slice's, the module's, the top's. */
export function methodChoices(config: MergeConfig, module: ModuleConfig, slice: SliceConfig): readonly MethodChoice[] {
  const all = [...(slice.mergeMethod ?? []), ...(module.mergeMethod ?? []), ...config.mergeMethod]
  const last = all.findIndex(({ filter }) => filter === undefined || filter === '*')
  return last < 0 ? all : all.slice(0, last + 1)
}

/** Lists all methods that a config names, in the order of the levels: the top's, then those of modules and their slices. */
export const listMethodChoices = ({ mergeMethod, modules }: MergeConfig): readonly MethodChoice[] => [
  ...mergeMethod,
  ...modules.flatMap((module) => [
    ...(module.mergeMethod ?? []),
    ...module.slices.flatMap((slice) => slice.mergeMethod ?? []),
  ]),
]
