/** The last component of a name. */
export const lastComponent = (module: string): string => module.slice(module.lastIndexOf('.') + 1)

/**
 * Names modules as PEFT's lists do, where a name means all modules that are called so or end with it: by the last component where that
 * means chosen modules only, else in full.
 */
export function nameModules(chosen: readonly string[], all: readonly string[]): string[] {
  const isChosen = new Set(chosen)
  const others = new Set(all.filter((module) => !isChosen.has(module)).map(lastComponent))
  const names = new Set<string>()
  for (const module of chosen) {
    const short = lastComponent(module)
    names.add(others.has(short) || /^\d+$/.test(short) ? module : short)
  }
  return [...names]
}
