import { builtinMethods, type MethodDefinition } from '@mk/methods'
import { loadMethodsOfModule } from '@mk/methods/node'

export { loadMethodModule } from '@mk/methods/node'

/** The built-in methods and those of `--method-module` files. @throws MethodError where a file exports none */
export async function loadMethods(modules: readonly string[]): Promise<ReadonlyMap<string, MethodDefinition>> {
  const methods = new Map(builtinMethods)
  for (const module of modules) for (const method of await loadMethodsOfModule(module)) methods.set(method.name, method)
  return methods
}
