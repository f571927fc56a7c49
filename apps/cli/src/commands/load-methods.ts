import type { MethodDefinition } from '@mk/methods'
import type { OwnCode } from './own-code.ts'

/** Loads the built-in methods and those of `--method-module` files, by name. @throws MethodError where a file exports none */
export async function loadMethods(
  modules: readonly string[] | undefined,
  ownCode: OwnCode,
): Promise<ReadonlyMap<string, MethodDefinition>> {
  const { builtinMethods, loadMethodsOfModule } = await import('./merging.ts')
  const methods = new Map(builtinMethods)
  for (const module of modules ?? [])
    for (const method of await ownCode.load(module, () => loadMethodsOfModule(module))) methods.set(method.name, method)
  return methods
}
